import type { InstanceStatus } from '../../observe/status.ts';
import type { BreakerOrder } from '../feed.ts';
import { counted } from '../figures.ts';
import type { Order } from '../order.ts';
import { seen, selectedKey, type State } from '../state.ts';
import type { Page } from '../view.ts';
import { ask, FRESH, openPage, type Binding, type Step } from './binding.ts';
import { nextWeight } from './prompt.ts';

/** Keys for the instance that the cursor is on, or whose page is open. */
export const ON_INSTANCE: readonly Binding[] = [
  {
    keys: ['d'],
    shown: 'd',
    does: 'drain',
    help: 'no new calls for it, the running ones end; again: it takes calls again',
    group: 'instance',
    rank: 11,
    when: (state) => instanceOf(state) !== undefined,
    press: drain,
  },
  {
    keys: ['e'],
    shown: 'e',
    does: 'enable',
    help: 'it takes calls again',
    group: 'instance',
    rank: 15,
    when: (state) => instanceOf(state) !== undefined,
    press: (state) => {
      const { name } = instanceOf(state)!;
      const change = { enabled: true, draining: false };
      return {
        view: state.view,
        order: { do: 'change', instance: name, change, done: `${name} takes calls` },
      };
    },
  },
  {
    keys: ['x'],
    shown: 'x',
    does: 'disable',
    help: 'it is left alone: no calls, no probes',
    group: 'instance',
    rank: 16,
    when: (state) => instanceOf(state) !== undefined,
    press: (state) => {
      const instance = instanceOf(state)!;
      return ask(state, `Disable ${instance.name}? ${consequence(state, instance)}`, {
        do: 'change',
        instance: instance.name,
        change: { enabled: false },
        done: `${instance.name} is disabled`,
      });
    },
  },
  {
    keys: ['+', '=', '-'],
    shown: '+-',
    does: 'weight',
    help: 'its weight, written into the config file when you say so',
    group: 'instance',
    rank: 17,
    when: (state) => instanceOf(state) !== undefined,
    press: (state, key) => {
      const { name, weight } = instanceOf(state)!;
      const to = nextWeight(weight, key);
      return {
        view: { ...state.view, prompt: { kind: 'weight', instance: name, from: weight, to } },
      };
    },
  },
  {
    keys: ['b'],
    shown: 'b',
    does: 'breaker',
    help: 'reset its circuit breaker, or hold it open or closed',
    group: 'instance',
    rank: 12,
    when: (state) => instanceOf(state) !== undefined,
    press: (state) => openPage(state, breakerChoice(instanceOf(state)!)),
  },
];

/** The instance that keys act on: the one whose page is open, or that the cursor is on. */
function instanceOf(state: State): InstanceStatus | undefined {
  const { view } = state;
  const page = view.pages.at(-1);
  if (page && page.kind !== 'instance') return undefined;
  if (!page && view.focus !== 'instances') return undefined;
  const name = page ? page.name : selectedKey(state);
  return seen(state).status?.instances.find((instance) => instance.name === name);
}

function drain(state: State): Step {
  const instance = instanceOf(state)!;
  const { name } = instance;
  if (instance.state === 'draining') {
    const change = { draining: false };
    return {
      view: state.view,
      order: { do: 'change', instance: name, change, done: `${name} takes calls` },
    };
  }
  return ask(state, `Drain ${name}? ${consequence(state, instance)}`, {
    do: 'change',
    instance: name,
    change: { draining: true },
    done: `${name} drains`,
  });
}

/** What comes of taking an instance out of the road. */
function consequence(state: State, { name, inFlight }: InstanceStatus): string {
  const instances = seen(state).status?.instances ?? [];
  const others = instances.some((one) => one.name !== name && ROUTABLE.has(one.state));
  if (!others) return 'No other instance takes calls.';
  if (inFlight === 0) return 'New calls go elsewhere.';
  return `New calls go elsewhere, ${counted(inFlight, 'running call')} may end.`;
}

const ROUTABLE: ReadonlySet<InstanceStatus['state']> = new Set(['healthy', 'unknown', 'loading']);

function breakerChoice({ name, breaker }: InstanceStatus): Page {
  const order = (action: BreakerOrder, done: string): Order => ({
    do: 'breaker',
    instance: name,
    action,
    done,
  });
  return {
    kind: 'choice',
    title: `Breaker of ${name}, which is ${breaker.state}`,
    index: 0,
    ...FRESH,
    options: [
      {
        label: 'reset',
        remark: 'forget all failures; it works by itself again',
        order: order('reset', `the breaker of ${name} is reset`),
      },
      {
        label: 'hold closed',
        remark: 'let calls through, whatever fails, until it is reset',
        order: order('close', `the breaker of ${name} is held closed`),
      },
      {
        label: 'hold open',
        remark: 'keep all calls away until it is reset',
        order: {
          do: 'ask',
          question: `Keep all calls away from ${name}?`,
          order: order('open', `the breaker of ${name} is held open`),
        },
      },
    ],
  };
}
