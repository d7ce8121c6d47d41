import fc from 'fast-check';
import { render } from 'ink-testing-library';
import { describe, expect, it } from 'vitest';
import { App } from '../../src/dashboard/app.tsx';
import { note, EMPTY_BOARD } from '../../src/dashboard/board.ts';
import { PANES } from '../../src/dashboard/layout.ts';
import type { State } from '../../src/dashboard/state.ts';
import { widthOf } from '../../src/dashboard/text.ts';
import { PLAIN_THEME } from '../../src/dashboard/theme.ts';
import { FIRST_VIEW, type Page, type View } from '../../src/dashboard/view.ts';
import type { InstanceStatus, RecentCall } from '../../src/observe/status.ts';
import { mountDashboard, stage } from '../support/dashboard.tsx';
import {
  ALL_STATES,
  call,
  capturedCall,
  failedCall,
  instance,
  instanceDetail,
  instancesInAllStates,
  model,
  news,
  NOON,
  recent,
  running,
  SILENT,
  status,
} from '../support/fake-feed.ts';

/** Names as people and backends give them, and as somebody would who wants to break us. */
const name = fc.oneof(
  fc.constantFrom('gpu-1', '千问-本地', 'Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8', 'é', ''),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const amount = fc.oneof(fc.nat(20), fc.nat(), fc.constant(0));
const traffic = fc.oneof(
  fc.constant(SILENT),
  fc
    .record({
      perSecond: fc.array(amount, { minLength: 60, maxLength: 60 }),
      errorShare: fc.double({ min: 0, max: 1, noNaN: true }),
      tokensPerSecond: fc.double({ min: 0, max: 1e6, noNaN: true }),
      tokensGuessed: fc.boolean(),
    })
    .map(recent),
);
const instances = fc.array(
  fc
    .record({
      state: fc.constantFrom(...ALL_STATES),
      stateDetail: name,
      inFlight: amount,
      queued: amount,
      weight: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
      loaded: fc.array(name, { maxLength: 4 }),
      recent: traffic,
      name,
      breakerState: fc.constantFrom('closed', 'open', 'half-open', 'forced-open', 'forced-closed'),
      triesAgainAt: fc.integer({ min: -1e6, max: 1e9 }),
    })
    .map(({ name: called, breakerState, triesAgainAt, ...given }): InstanceStatus =>
      instance(called, {
        ...given,
        breaker: { state: breakerState, since: NOON, triesAgainAt: NOON + triesAgainAt },
      }),
    ),
  { maxLength: 60 },
);
const calls = fc.array(
  fc
    .record({ seq: fc.nat(), failed: fc.boolean(), model: name, error: name, duration: amount })
    .map(({ seq, failed, ...given }): RecentCall =>
      failed ? failedCall(seq, given) : call(seq, { model: given.model }),
    ),
  { maxLength: 40 },
);
const page = fc.constantFrom<Page | undefined>(
  undefined,
  undefined,
  ...[
    { kind: 'help', bindings: [] } as const,
    { kind: 'instance', name: 'gpu-1', detail: instanceDetail('gpu-1') } as const,
    { kind: 'call', call: failedCall(1), detail: undefined } as const,
    { kind: 'call', call: call(1, { captured: true }), detail: capturedCall() } as const,
    { kind: 'news', news: news(1, 'x'.repeat(300), { lines: ['+ a'] }) } as const,
    { kind: 'curl', command: 'curl '.repeat(80), remark: undefined } as const,
    { kind: 'choice', title: 'Choose', options: [], index: 0 } as const,
  ].map((one) => ({ ...one, scroll: 3, problem: undefined })),
);
const view = fc
  .record({
    focus: fc.constantFrom(...PANES),
    zoomed: fc.boolean(),
    filter: fc.oneof(fc.constant(''), name),
    typing: fc.boolean(),
    page,
    notice: fc.option(name),
  })
  .map(({ page: open, notice, ...given }): View => ({
    ...FIRST_VIEW,
    ...given,
    pages: open ? [open] : [],
    notice: notice === null ? undefined : { text: notice, tone: 'bad', until: Infinity },
  }));

const state = fc
  .record({
    instances,
    calls,
    view,
    models: fc.array(name, { maxLength: 9 }),
    running: fc.array(name, { maxLength: 9 }),
    problem: fc.option(name),
    size: fc.record({
      columns: fc.integer({ min: 1, max: 260 }),
      rows: fc.integer({ min: 1, max: 80 }),
    }),
  })
  .map(({ calls: over, models, running: open, problem, ...given }): State => {
    const { config } = status();
    const error = problem === null ? undefined : { since: NOON, problems: [problem] };
    const board = note(
      EMPTY_BOARD,
      [
        ...over.map((one) => ({ kind: 'call', call: one }) as const),
        { kind: 'news', news: news(1, 'config applied', { lines: ['+ a', '~ b'] }) },
        { kind: 'connection', connection: { state: 'live' } },
        {
          kind: 'snapshot',
          status: status({
            instances: given.instances,
            models: models.map((one) => model(one)),
            running: open.map((one, index) => running(String(index), { model: one })),
            config: error ? { ...config, error } : config,
          }),
        },
      ],
      NOON,
    );
    return {
      board,
      view: given.view,
      size: given.size,
      background: undefined,
      stopsServer: false,
      now: NOON,
    };
  });

describe('the picture', () => {
  it('has exactly the size of the terminal, whatever there is to show', () => {
    const { lines, show } = stage();
    fc.assert(
      fc.property(state, (given) => {
        show(given);
        expect(lines()).toHaveLength(given.size.rows);
        for (const line of lines()) expect(widthOf(line)).toBe(given.size.columns);
      }),
      { numRuns: 60 },
    );
  });

  it('is the one that Ink itself would draw', async () => {
    for (const rows of [24, 40]) {
      const board = mountDashboard({
        size: { columns: 100, rows },
        told: (feed) => {
          feed.snapshot(status({ instances: instancesInAllStates() }));
          feed.tell({ kind: 'call', call: call(1, { model: '通义千问:8b' }) });
        },
      });
      await board.sees('通义千问');
      const { lastFrame, unmount } = render(
        <App
          state={board.state()}
          theme={PLAIN_THEME}
          url="http://127.0.0.1:4747"
          onKey={() => {}}
        />,
      );
      const trimmed = (text: string): string[] => text.split('\n').map((line) => line.trimEnd());
      expect(trimmed(lastFrame()!)).toEqual(trimmed(board.text()));
      unmount();
    }
  });

  it('follows the terminal as it gets larger and smaller', async () => {
    const board = mountDashboard({ told: (feed) => feed.snapshot(status()) });
    for (const size of [
      { columns: 250, rows: 70 },
      { columns: 80, rows: 24 },
      { columns: 140, rows: 40 },
    ]) {
      board.resize(size);
      await board.sees(new RegExp(`^.{${size.columns}}\n`));
      expect(board.lines()).toHaveLength(size.rows);
      expect(board.text()).toContain('● gpu-1');
    }
    board.resize({ columns: 30, rows: 5 });
    await board.sees('30×5 is too small');
    await board.press('q');
    expect(board.left()).toBe(true);
  });
});
