import { counted } from '../figures.ts';
import type { State } from '../state.ts';
import { ask, FRESH, noPage, openPage, type Binding, type Step } from './binding.ts';
import { MOVING } from './moving.ts';
import { ON_CALL } from './on-call.ts';
import { ON_INSTANCE } from './on-instance.ts';
import { answer, type } from './prompt.ts';

const EVERYWHERE: readonly Binding[] = [
  {
    keys: ['R'],
    shown: 'R',
    does: 'reload',
    help: 'read the config file again',
    group: 'server',
    rank: 70,
    when: noPage,
    press: (state) => ask(state, 'Read the config file again?', { do: 'reload' }),
  },
  {
    keys: ['H'],
    shown: 'H',
    does: 'history',
    help: 'the configs that were applied; go back to one of them',
    group: 'server',
    rank: 71,
    when: noPage,
    press: (state) =>
      openPage(
        state,
        { kind: 'choice', title: 'Config history', options: undefined, index: 0, ...FRESH },
        { do: 'history' },
      ),
  },
  {
    keys: ['?'],
    shown: '?',
    does: 'help',
    help: 'this page',
    group: 'server',
    rank: 2,
    when: ({ view }) => view.pages.at(-1)?.kind !== 'help',
    press: (state) => openPage(state, { kind: 'help', bindings: BINDINGS, ...FRESH }),
  },
  {
    keys: ['q'],
    shown: 'q',
    does: 'quit',
    help: 'leave; ctrl-c leaves from everywhere',
    group: 'server',
    rank: 3,
    when: () => true,
    press: (state) =>
      state.stopsServer
        ? ask(state, stopQuestion(state), { do: 'leave' })
        : { view: state.view, order: { do: 'leave' } },
  },
  {
    keys: ['ctrl-z'],
    shown: 'ctrl-z',
    does: 'suspend',
    help: 'back to the shell for a while; fg returns',
    group: 'server',
    when: () => true,
    press: ({ view }) => ({ view, order: { do: 'suspend' } }),
  },
];

/** Every key there is, but for those of a question in the last line and of the filter being typed. */
const BINDINGS: readonly Binding[] = [...MOVING, ...ON_INSTANCE, ...ON_CALL, ...EVERYWHERE];

/** @returns The bindings that a key may be pressed for now; the first of several for a key counts. */
export function activeBindings(state: State): readonly Binding[] {
  const taken = new Set<string>();
  return BINDINGS.filter((binding) => {
    if (!binding.when(state) || binding.keys.every((key) => taken.has(key))) return false;
    for (const key of binding.keys) taken.add(key);
    return true;
  });
}

/** @returns What a key brings about; the view as it was when it has no meaning now. */
export function press(state: State, key: string): Step {
  const { view } = state;
  if (key === 'ctrl-c') return { view, order: { do: 'leave' } };
  if (view.prompt) return answer(view, key);
  if (view.typing) return { view: type(view, key) };
  const binding = activeBindings(state).find(({ keys }) => keys.includes(key));
  return binding ? binding.press(state, key) : { view };
}

function stopQuestion({ board: { status } }: State): string {
  const running = status?.inFlight ?? 0;
  if (running === 0) return 'Stop the server?';
  return `Stop the server? ${counted(running, 'running call')} may end first.`;
}
