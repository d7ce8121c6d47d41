import { describe, expect, it } from 'vitest';
import { mountDashboard, type TestDashboard } from '../support/dashboard.tsx';
import {
  breaker,
  call,
  capturedCall,
  failedCall,
  instance,
  instanceDetail,
  instancesInAllStates,
  news,
  NOON,
  recent,
  status,
} from '../support/fake-feed.ts';

const THREE = [
  instance('gpu-1', { recent: recent({ duration: { p50: 300, p95: 400, p99: 500 } }) }),
  instance('gpu-2', { recent: recent({ duration: { p50: 900, p95: 950, p99: 990 } }) }),
  instance('laptop', { adapter: 'ollama', recent: recent({ duration: undefined as never }) }),
];

async function withInstances(instances = THREE): Promise<TestDashboard> {
  const board = mountDashboard({ told: (feed) => feed.snapshot(status({ instances })) });
  await board.sees(instances[0]!.name);
  return board;
}

const byCode = (a: string, b: string): number => (a < b ? -1 : 1);

function order(board: TestDashboard, names: readonly string[]): string[] {
  return names.toSorted((a, b) => board.text().indexOf(`● ${a}`) - board.text().indexOf(`● ${b}`));
}

describe('moving', () => {
  it('goes up and down, by pages, and to the ends', async () => {
    const many = Array.from({ length: 50 }, (_, index) => instance(`gpu-${index}`));
    const board = await withInstances(many);
    const at = (): string => board.state().view.cursors.instances?.key ?? 'gpu-0';
    await board.press('down', 'j', 'j', 'k');
    expect(at()).toBe('gpu-2');
    await board.press('end');
    expect(at()).toBe('gpu-49');
    await board.sees('● gpu-49');
    await board.press('pageup');
    expect(Number(at().slice(4))).toBeLessThan(45);
    await board.press('up', 'g');
    expect(at()).toBe('gpu-0');
    await board.press('G', 'pagedown', 'down', 'home', 'up');
    expect(at()).toBe('gpu-0');
  });

  it('keeps the cursor on its row while others come and go', async () => {
    const board = await withInstances();
    await board.press('down', 'down');
    board.feed.snapshot(status({ instances: [THREE[2]!, THREE[0]!] }));
    await board.seesNot('gpu-2');
    await board.press('d');
    await board.sees('Drain laptop?');
  });

  it('understands keys that come in one piece, as when they are typed quickly', async () => {
    const board = await withInstances();
    await board.press('jjd');
    await board.sees('Drain laptop?');
    await board.press('n?\u0003');
    expect(board.left()).toBe(true);
  });

  it('scrolls a page', async () => {
    const board = mountDashboard({ size: { columns: 80, rows: 24 } });
    await board.press('?');
    await board.sees('Moving');
    await board.press('end');
    await board.seesNot('Moving');
    await board.sees('Signs');
    await board.press('pageup', 'pageup', 'pageup', 'home');
    await board.sees('Moving');
    await board.press('escape');
    await board.seesNot('Moving');
  });
});

describe('panes', () => {
  it('take the focus by their number, and all of the room when it is pressed again', async () => {
    const board = mountDashboard({
      size: { columns: 80, rows: 24 },
      told: (feed) => feed.snapshot(status({ instances: instancesInAllStates() })),
    });
    await board.sees('1 Instances');
    expect(board.text()).not.toContain('5 Models');
    await board.press('5');
    await board.sees('5 Models');
    expect(board.text()).toContain('1 Instances');
    await board.press('5');
    await board.seesNot('1 Instances');
    await board.press('3');
    await board.sees('3 Calls');
    await board.seesNot('5 Models');
    await board.press('3');
    await board.sees('1 Instances');
  });

  it('are gone through with tab, and back', async () => {
    const board = await withInstances();
    const focus = (): string => board.state().view.focus;
    await board.press('tab');
    expect(focus()).toBe('streams');
    await board.press('backtab', 'backtab');
    expect(focus()).toBe('events');
    await board.press('tab');
    expect(focus()).toBe('instances');
  });

  it('give their room back with escape', async () => {
    const board = await withInstances();
    await board.press('1');
    await board.seesNot('Calls');
    await board.press('escape');
    await board.sees('Calls');
  });
});

describe('sorting', () => {
  it('goes through every column, and both ways; what is not known comes last', async () => {
    const board = await withInstances();
    const names = ['gpu-1', 'gpu-2', 'laptop'];
    while (board.state().view.sorts.instances?.by !== 'p50') await board.press('s');
    await board.sees('by p50');
    await board.sees('▼p50');
    expect(order(board, names)).toEqual(['gpu-2', 'gpu-1', 'laptop']);
    await board.press('S');
    await board.sees('▲p50');
    expect(order(board, names)).toEqual(['gpu-1', 'gpu-2', 'laptop']);
    await board.press('left');
    expect(board.state().view.sorts.instances?.by).toBe('Last 60 s');
    const titles = new Set<string | undefined>();
    for (let turn = 0; turn < 20; turn += 1) {
      titles.add(board.state().view.sorts.instances?.by);
      await board.press('right');
    }
    expect(
      [...titles]
        .filter((one) => one !== undefined)
        .toSorted(byCode)
        .join(', '),
    ).toBe(
      'Adapter, Breaker, Err, First, Last 60 s, Models, Name, Queue, Req/s, Run, State, Tok/s, Weight, p50, p95',
    );
  });

  it('is of one pane alone', async () => {
    const board = await withInstances();
    await board.press('3', 's', 's');
    expect(board.state().view.sorts).toEqual({ calls: { by: 'Status', reversed: false } });
  });
});

describe('the filter', () => {
  it('leaves rows that have all its words, in every pane, while it is typed', async () => {
    const board = await withInstances();
    board.feed.tell(
      { kind: 'call', call: call(1, { instance: 'laptop', model: 'qwen3:8b' }) },
      { kind: 'call', call: failedCall(2) },
    );
    await board.press('/');
    await board.sees('words that a row must have');
    await board.press('laptop', 'space', 'qwen');
    await board.sees('1 of 2 · /laptop qwen');
    await board.sees('nothing matches /laptop qwen');
    await board.press('backspace', 'backspace', 'backspace', 'backspace', 'backspace');
    await board.sees('1 of 3 · /laptop');
    expect(board.text()).not.toContain('● gpu-1');
    // A letter that is a key otherwise.
    await board.press('q');
    await board.sees('/laptopq');
    expect(board.left()).toBe(false);
    await board.press('ctrl-u', 'gpu-2', 'enter');
    await board.sees('● gpu-2');
    expect(board.state().view.typing).toBe(false);
    await board.press('escape');
    await board.sees('● laptop');
  });

  it('is left empty-handed with escape, or by taking back more than there is', async () => {
    const board = await withInstances();
    await board.press('/', 'abc', 'escape');
    expect(board.state().view).toMatchObject({ filter: '', typing: false });
    await board.press('/', 'a', 'backspace', 'backspace');
    expect(board.state().view).toMatchObject({ filter: '', typing: false });
  });

  it('takes what is pasted, up to the enter in it', async () => {
    const board = await withInstances();
    await board.press('/gpu-2\r');
    await board.sees('1 of 3 · /gpu-2');
    expect(board.state().view.typing).toBe(false);
  });
});

describe('pausing', () => {
  it('stops the picture, counts what it misses, and goes on with all of it', async () => {
    const board = await withInstances();
    board.feed.tell({ kind: 'call', call: call(1, { model: 'before' }) });
    await board.sees('before');
    await board.press('space');
    await board.sees('‖ paused');
    board.feed.tell(
      { kind: 'call', call: call(2, { model: 'meanwhile' }) },
      { kind: 'call', call: call(3) },
    );
    await board.sees('‖ paused, 2 calls since');
    expect(board.text()).not.toContain('meanwhile');
    await board.press('space');
    await board.sees('meanwhile');
    await board.sees('● live');
  });
});

describe('orders to an instance', () => {
  it('drain it when that is confirmed, and undo it at once', async () => {
    const board = await withInstances();
    await board.press('d');
    await board.sees('Drain gpu-1? New calls go elsewhere, 3 running calls may end.');
    await board.press('n');
    await board.seesNot('Drain gpu-1?');
    await board.press('d', 'y');
    await board.sees('✓ gpu-1 drains');
    expect(board.feed.orders).toEqual(['change("gpu-1", {"draining":true})']);
    board.feed.snapshot(status({ instances: [instance('gpu-1', { state: 'draining' })] }));
    await board.sees('◌ gpu-1');
    await board.press('d');
    await board.sees('✓ gpu-1 takes calls');
    expect(board.feed.orders.at(-1)).toBe('change("gpu-1", {"draining":false})');
  });

  it('warn when nobody else is left', async () => {
    const others = [instance('a'), instance('b', { state: 'unhealthy' })];
    const board = await withInstances(others);
    await board.press('x');
    await board.sees('Disable a? No other instance takes calls.');
    await board.press('y');
    await board.sees('✓ a is disabled');
    expect(board.feed.orders).toEqual(['change("a", {"enabled":false})']);
  });

  it('tell what went wrong on a page, where the last line is too short for that', async () => {
    const board = await withInstances();
    board.feed.answers.change = () => {
      throw new Error(`The config was not changed: ${'it is code, '.repeat(9)}edit it by hand.`);
    };
    await board.press('e');
    await board.sees('That did not work');
    await board.sees('edit it by hand.');
    await board.press('escape');
    await board.sees('● gpu-1');
  });

  it('enable it without a question', async () => {
    const board = await withInstances();
    await board.press('e');
    await board.sees('✓ gpu-1 takes calls');
    expect(board.feed.orders).toEqual(['change("gpu-1", {"enabled":true,"draining":false})']);
  });

  it('change its weight in as many steps as one likes, and write it once', async () => {
    const board = await withInstances([instance('gpu-1', { weight: 3 })]);
    await board.press('+', '+', 'up', '-');
    await board.sees('Weight of gpu-1: 3 → 5');
    expect(board.feed.orders).toEqual([]);
    await board.press('enter');
    await board.sees('✓ gpu-1 has weight 5');
    expect(board.feed.orders).toEqual(['change("gpu-1", {"weight":5})']);
    await board.press('-', '-', '-', '-', '-', 'down');
    await board.sees('Weight of gpu-1: 3 → 1');
    await board.press('escape');
    await board.seesNot('Weight of');
    expect(board.feed.orders).toHaveLength(1);
  });

  it('reset its breaker, or hold it open or closed', async () => {
    const given = instance('gpu-1', { breaker: breaker({ state: 'open', since: NOON }) });
    const board = await withInstances([given]);
    await board.press('b');
    await board.sees('Breaker of gpu-1, which is open');
    await board.press('enter');
    await board.sees('✓ the breaker of gpu-1 is reset');
    await board.press('b', 'down', 'enter');
    await board.sees('✓ the breaker of gpu-1 is held closed');
    await board.press('b', 'end', 'enter');
    await board.sees('Keep all calls away from gpu-1?');
    await board.press('y');
    await board.sees('✓ the breaker of gpu-1 is held open');
    expect(board.feed.orders).toEqual([
      'breaker("gpu-1", "reset")',
      'breaker("gpu-1", "close")',
      'breaker("gpu-1", "open")',
    ]);
  });

  it('tell what went wrong, in the words of the server', async () => {
    const board = await withInstances();
    board.feed.answers.change = () => {
      throw new Error('the config is TypeScript: change it by hand');
    };
    await board.press('+', 'enter');
    await board.sees('✗ the config is TypeScript: change it by hand');
    board.setTime(NOON + 10_000);
    await board.press('down');
    await board.seesNot('by hand');
  });

  it('work from its page too, and on nothing else', async () => {
    const board = await withInstances();
    await board.press('down', 'enter');
    await board.sees('Instance gpu-2');
    await board.press('e');
    await board.sees('✓ gpu-2 takes calls');
    await board.press('escape', '3', 'e', 'd', 'b');
    expect(board.feed.orders.filter((one) => one.startsWith('change'))).toHaveLength(1);
  });
});

describe('orders to the server', () => {
  it('read its config again', async () => {
    const board = await withInstances();
    await board.press('R');
    await board.sees('Read the config file again?');
    await board.press('y');
    await board.sees('✓ the config is applied as version 4, with 1 change');
    expect(board.feed.orders).toEqual(['reload()']);
  });

  it('go back to an earlier config, chosen from the history', async () => {
    const board = await withInstances();
    board.feed.answers.history = () => [
      { version: 3, at: NOON, source: 'edit', diff: ['+ instances.laptop'], current: true },
      { version: 2, at: NOON - 60_000, source: 'api', diff: ['~ a', '~ b', '~ c'], current: false },
    ];
    await board.press('H');
    await board.sees('in effect, edit: + instances.laptop');
    await board.sees('api: ~ a, and 2 more changes');
    await board.press('down', 'enter');
    await board.sees('Write version 2 back into the config file?');
    await board.press('y');
    await board.sees('✓ the config is as it was, version 4');
    expect(board.feed.orders).toEqual(['history()', 'rollback(2)']);
  });
});

describe('a call', () => {
  it('is copied as a command, and shown', async () => {
    const board = await withInstances();
    board.feed.tell({ kind: 'call', call: call(1, { captured: true }) });
    await board.press('3', 'c');
    await board.sees("curl 'http://127.0.0.1:4747/v1/chat/completions'");
    expect(board.copied).toHaveLength(1);
    expect(board.copied[0]).toContain(`Why'\\''s the sky blue?`);
  });

  it('is copied without its body when that was not kept, and says so', async () => {
    const board = await withInstances();
    board.feed.tell({ kind: 'call', call: call(1) });
    await board.press('3', 'c');
    await board.sees('Its body was not captured');
    expect(board.copied[0]).toContain('{"model":"coder","stream":true}');
  });

  it('is sent again, here or elsewhere, and both answers are compared', async () => {
    const board = await withInstances();
    board.feed.answers.call = () => capturedCall();
    board.feed.tell({ kind: 'call', call: call(1, { captured: true, stream: false }) });
    await board.press('3', 'r');
    await board.sees('wherever it is routed');
    await board.press('end', 'enter');
    await board.sees('The sky [-is-]{+looks+} blue');
    expect(board.feed.orders.at(-1)).toContain('"to":{"instance":"laptop"');
    expect(board.line('total')).toMatch(/total +1\.4 s +2\.0 s +43 % slower/);
    expect(board.line('instance')).toMatch(/instance +gpu-1 +laptop/);
    expect(board.line('tokens out')).toMatch(/9 +9/);
  });

  it('cannot be sent again when it was not kept, and says how to keep it', async () => {
    const board = await withInstances();
    board.feed.tell({ kind: 'call', call: call(1) });
    await board.press('3', 'r');
    await board.sees(
      '✗ its body was not kept: with `capture` in the config, calls can be sent again',
    );
  });
});

describe('leaving', () => {
  it('is q, but on a page that is back', async () => {
    const board = await withInstances();
    await board.press('?');
    await board.sees('Help');
    await board.press('q');
    await board.seesNot('Help');
    expect(board.left()).toBe(false);
    await board.press('q');
    expect(board.left()).toBe(true);
  });

  it('asks first when the server would end too', async () => {
    const board = mountDashboard({
      stopsServer: true,
      told: (feed) => feed.snapshot(status({ inFlight: 2 })),
    });
    await board.sees('gpu-1');
    await board.press('q');
    await board.sees('Stop the server? 2 running calls may end first.');
    expect(board.left()).toBe(false);
    await board.press('y');
    expect(board.left()).toBe(true);
  });

  it('is ctrl-c, wherever one is', async () => {
    for (const keys of [[], ['?'], ['/'], ['d'], ['+']]) {
      const board = await withInstances();
      await board.press(...keys, 'ctrl-c');
      expect(board.left()).toBe(true);
    }
  });

  it('can be for a while', async () => {
    const board = await withInstances();
    await board.press('ctrl-z');
    expect(board.suspended()).toBe(true);
    expect(board.left()).toBe(false);
  });
});

describe('the footer', () => {
  it('has the keys that count, as many as fit, and always help', async () => {
    const board = await withInstances();
    const footer = (): string => board.lines().at(-1)!;
    expect(footer()).toContain('d drain');
    await board.press('3');
    await board.seesNot('d drain');
    for (const columns of [40, 60, 80, 120, 200]) {
      board.resize({ columns, rows: 30 });
      // The picture comes a moment later.
      await board.sees(new RegExp(`^.{${columns}}\\n`));
      expect(footer()).toContain('? help');
      expect(footer()).toContain('q quit');
    }
  });
});

describe('a page', () => {
  it('is filled anew with each snapshot, and says when that fails', async () => {
    const board = await withInstances();
    await board.press('enter');
    await board.sees('2 models, ● 1 in memory');
    board.feed.answers.instance = () => instanceDetail('gpu-1', { catalogue: [] });
    board.feed.snapshot(status({ instances: THREE }));
    await board.sees('0 models');
    board.feed.answers.instance = () => {
      throw new Error('no instance is named gpu-1');
    };
    board.feed.snapshot(status({ instances: THREE.slice(1) }));
    await board.sees('✗ no instance is named gpu-1');
    await board.sees('The config has this instance no more.');
  });

  it('opens for a piece of news', async () => {
    const board = await withInstances();
    board.feed.tell({ kind: 'news', news: news(1, 'gpu-2 is down', { instance: 'gpu-2' }) });
    await board.press('4', 'enter');
    await board.sees('instance  gpu-2');
  });
});
