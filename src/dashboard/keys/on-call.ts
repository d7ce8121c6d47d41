import type { RecentCall } from '../../observe/status.ts';
import { seen, selectedKey, type State } from '../state.ts';
import type { Binding } from './binding.ts';

/** Keys for the call that the cursor is on, or whose page is open. */
export const ON_CALL: readonly Binding[] = [
  {
    keys: ['c'],
    shown: 'c',
    does: 'curl',
    help: 'copy the call as a curl command, and show it',
    group: 'call',
    rank: 11,
    when: (state) => callOf(state) !== undefined,
    press: (state) => ({ view: state.view, order: { do: 'curl', call: callOf(state)! } }),
  },
  {
    keys: ['r'],
    shown: 'r',
    does: 'replay',
    help: 'send a captured call again, here or to another instance, and compare the answers',
    group: 'call',
    rank: 12,
    when: (state) => callOf(state) !== undefined,
    press: (state) => ({ view: state.view, order: { do: 'targets', call: callOf(state)! } }),
  },
];

function callOf(state: State): RecentCall | undefined {
  const { view } = state;
  const page = view.pages.at(-1);
  if (page) return page.kind === 'call' ? page.call : undefined;
  if (view.focus !== 'calls') return undefined;
  const key = selectedKey(state);
  return seen(state).calls.find(({ seq }) => String(seq) === key);
}
