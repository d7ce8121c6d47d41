import { describe, expect, it } from 'vitest';
import { mountDashboard } from '../support/dashboard.tsx';
import {
  breaker,
  call,
  failedCall,
  instance,
  instancesInAllStates,
  model,
  news,
  NOON,
  recent,
  running,
  SILENT,
  status,
} from '../support/fake-feed.ts';

const WIDE = { columns: 200, rows: 50 };
const SMALL = { columns: 80, rows: 24 };

describe('the instances', () => {
  it('are told by symbol, word and breaker in every state', async () => {
    const board = mountDashboard({
      size: WIDE,
      told: (feed) => feed.snapshot(status({ instances: instancesInAllStates() })),
    });
    await board.sees('● gpu-1');
    for (const [row, word] of [
      ['● gpu-1', 'healthy'],
      ['◐ laptop', 'loading'],
      ['✗ gpu-2', 'unhealthy'],
      ['! openai', 'misconfigured'],
      ['◌ old', 'draining'],
      ['- spare', 'disabled'],
      ['○ new', 'unknown'],
    ] as const) {
      expect(board.line(row)).toContain(word);
    }
    expect(board.line('✗ gpu-2')).toMatch(/unhealthy +open 12 s .*connection refused/);
  });

  it('show all that is measured of them where there is room', async () => {
    const given = instance('gpu-1', {
      inFlight: 3,
      maxConcurrency: 16,
      queued: 2,
      weight: 4,
      recent: recent({
        perSecond: Array.from({ length: 60 }, () => 12),
        errorShare: 0.034,
        tokensGuessed: true,
      }),
      loaded: ['qwen3:8b', '通义千问:8b'],
    });
    const board = mountDashboard({
      size: WIDE,
      told: (feed) => feed.snapshot(status({ instances: [given] })),
    });
    await board.sees('gpu-1');
    expect(board.line('● gpu-1')).toMatch(
      /gpu-1 +vllm +healthy +closed +3\/16 +2 +12\.0 +█{10,} +1\.2 s +4\.0 s +212 ms +~61 +3\.4 % +4 +qwen3:8b, 通义千问:8b/,
    );
    expect(board.line('Name')).toMatch(
      /Name +Adapter +State +Breaker +Run +Queue +Req\/s +Last 60 s +p50 +p95 +First +Tok\/s +Err +Weight +Models/,
    );
  });

  it('say nothing where nothing is known', async () => {
    const quiet = instance('idle', { recent: SILENT, inFlight: 0, loaded: [], models: 12 });
    const board = mountDashboard({
      size: WIDE,
      told: (feed) => feed.snapshot(status({ instances: [quiet] })),
    });
    await board.sees('idle');
    expect(board.line('● idle')).toMatch(/closed +0\/16 +0 +0 +– +– +– +0 +– +1 +12 models/);
  });

  it('lose columns and no meaning when the terminal is narrow', async () => {
    const board = mountDashboard({
      size: SMALL,
      told: (feed) => feed.snapshot(status({ instances: instancesInAllStates() })),
    });
    await board.sees('gpu-1');
    expect(board.line('Name')).toMatch(
      /^ Name +State +Breaker +Run +Req\/s +Last 60 s +p50 +Err $/,
    );
    board.resize({ columns: 60, rows: 24 });
    await board.seesNot('Last 60 s');
    expect(board.line('Name')).toMatch(/^ Name +State +Run +Req\/s +p50 +Err +$/);
    board.resize({ columns: 40, rows: 24 });
    await board.seesNot('p50');
    expect(board.line('✗ gpu-2')).toContain('unhealthy');
  });

  it('count a breaker down, and a rest that was asked for', async () => {
    const instances = [
      instance('a', { breaker: breaker({ state: 'open', triesAgainAt: NOON + 3000 }) }),
      instance('b', { restsUntil: NOON + 61_000 }),
      instance('c', { breaker: breaker({ state: 'half-open' }) }),
      instance('d', { breaker: breaker({ state: 'forced-open' }) }),
      instance('e', { breaker: breaker({ state: 'forced-closed' }) }),
    ];
    const board = mountDashboard({ told: (feed) => feed.snapshot(status({ instances })) });
    await board.sees('open 3 s');
    expect(board.line('● b')).toContain('rests 1:01');
    expect(board.line('● c')).toContain('half-open');
    expect(board.line('● d')).toContain('held open');
    expect(board.line('● e')).toContain('held closed');
    board.setTime(NOON + 1500);
    await board.sees('open 2 s');
  });

  it('align though a name takes two columns a character', async () => {
    const instances = [instance('gpu'), instance('千问-本地'), instance('émile')];
    const board = mountDashboard({ told: (feed) => feed.snapshot(status({ instances })) });
    await board.sees('千问-本地');
    const columns = ['gpu', '千问-本地', 'émile'].map((name) => {
      const line = board.line(`● ${name}`);
      const before = line.slice(0, line.indexOf('healthy'));
      return before.length + (before.match(/[千问本地]/g) ?? []).length;
    });
    expect(new Set(columns).size).toBe(1);
  });

  it('say what to do when there are none', async () => {
    const board = mountDashboard({ told: (feed) => feed.snapshot(status({ instances: [] })) });
    await board.sees('no instances: add your backends to the config');
  });

  it('cannot be made to steer the terminal by a name', async () => {
    const instances = [
      instance('evil\u001b[2J\u0007', { loaded: ['\u001b]0;owned\u0007m', 'a\nb', '\u202etxt'] }),
    ];
    const board = mountDashboard({
      size: WIDE,
      told: (feed) => feed.snapshot(status({ instances })),
    });
    await board.sees('evil');
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(board.text().replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('what is in flight', () => {
  it('has age, phase, model, instance, client and tokens per second', async () => {
    const calls = [
      running('a', { at: NOON - 10_200, firstByte: 200, events: 500, key: 'me' }),
      running('b', { phase: 'queued', events: 0, attempts: 2, instance: undefined as never }),
    ];
    const board = mountDashboard({
      size: WIDE,
      told: (feed) => feed.snapshot(status({ running: calls })),
    });
    await board.press('2', '2');
    await board.seesNot('Instances');
    expect(board.line('● answering')).toMatch(
      /10 s +● answering +coder +gpu-1 +me +chat +200 ms +~500 +50\.0 +1/,
    );
    expect(board.line('◌ queued')).toMatch(/coder +– .* – +– +2/);
  });

  it('says so when nothing runs', async () => {
    const board = mountDashboard({ told: (feed) => feed.snapshot(status({ running: [] })) });
    await board.sees('nothing is running');
  });
});

describe('the calls', () => {
  it('tell where they went and why, and what went wrong', async () => {
    const { instance: _, ...nobodyLeft } = failedCall(905, {
      status: 503,
      error: 'No instance can serve "coder" right now: gpu-1 fails. Start one of them.',
    });
    const board = mountDashboard({
      size: { columns: 250, rows: 60 },
      told: (feed) => {
        feed.snapshot(status());
        feed.tell(
          { kind: 'call', call: call(901, { upstreamModel: 'coder' }) },
          { kind: 'call', call: failedCall(902) },
          {
            kind: 'call',
            call: call(903, {
              ending: 'aborted',
              status: undefined as never,
              error: 'client left',
            }),
          },
          { kind: 'call', call: call(904, { ending: 'broken', error: 'the stream broke off' }) },
          { kind: 'call', call: nobodyLeft },
        );
      },
    });
    await board.press('3', '3');
    await board.seesNot('Instances');
    expect(board.line('✓ 200')).toMatch(
      /✓ 200 +chat +coder +→ gpu-1 +1\.4 s +212 ms +812 → 240 +202 +1 +127\.0\.0\.1 +least connections of 2/,
    );
    expect(board.line('✗ 502')).toMatch(
      /→ gpu-2\/Qwen.* 2 +127\.0\.0\.1 +gpu-2: connection refused/,
    );
    // Nobody has answered it: where it was tried last. And nothing that the row says already.
    expect(board.line('✗ 503')).toMatch(/→ gpu-2 .* 2 +127\.0\.0\.1 +gpu-1 fails\. Start one/);
    expect(board.line('← left')).toContain('client left');
    expect(board.line('✗ cut')).toContain('the stream broke off');
  });

  it('have the newest on top, and stay where the cursor is when more come', async () => {
    const board = mountDashboard({
      told: (feed) => {
        feed.snapshot(status());
        for (const seq of [1, 2, 3])
          feed.tell({ kind: 'call', call: call(seq, { model: `model-${seq}` }) });
      },
    });
    await board.press('3', '3');
    await board.sees('model-3');
    expect(board.text().indexOf('model-3')).toBeLessThan(board.text().indexOf('model-1'));
    await board.press('down');
    board.feed.tell({ kind: 'call', call: call(4, { model: 'model-4' }) });
    await board.sees('model-4');
    expect(board.state().view.cursors.calls?.key).toBe('2');
    await board.press('enter');
    await board.sees('asked for  model-2');
  });
});

describe('the events', () => {
  it('show a reload with its diff, and what went wrong', async () => {
    const lines = ['~ instances.gpu-1.weight: 1 → 3', '+ instances.spare', '- models.old'];
    const board = mountDashboard({
      told: (feed) => {
        feed.snapshot(status());
        feed.tell(
          { kind: 'news', news: news(1, 'config applied', { kind: 'config', lines }) },
          { kind: 'news', news: news(2, 'gpu-2 is unhealthy', { level: 'error' }) },
        );
      },
    });
    await board.press('4', '4');
    await board.sees('gpu-2 is unhealthy');
    expect(board.line('gpu-2 is unhealthy')).toContain('✗ instance');
    expect(board.line('config applied')).toContain('· config');
    for (const line of lines) await board.sees(line);
  });

  it('keep a long diff short, and show all of it on a page', async () => {
    const lines = Array.from({ length: 12 }, (_, index) => `+ instances.gpu-${index}`);
    const board = mountDashboard({
      told: (feed) => {
        feed.snapshot(status());
        feed.tell({ kind: 'news', news: news(1, 'config applied', { kind: 'config', lines }) });
      },
    });
    await board.press('4', '4');
    await board.sees('… and 7 more lines');
    await board.press('enter');
    await board.sees('+ instances.gpu-11');
  });
});

describe('the models', () => {
  it('show how much each is asked for', async () => {
    const board = mountDashboard({
      size: WIDE,
      told: (feed) => feed.snapshot(status({ models: [model('通义千问:8b'), model('bge-m3')] })),
    });
    await board.press('5', '5');
    await board.seesNot('Instances');
    expect(board.line('bge-m3')).toMatch(/bge-m3 .* 1\.2 s .* 1\.2k +812k +240k/);
  });
});

describe('the header', () => {
  it('tells the server, its config and its traffic', async () => {
    const board = mountDashboard({ size: WIDE, told: (feed) => feed.snapshot(status()) });
    await board.sees('● live');
    expect(board.lines()[0]).toMatch(
      /jairouter 0\.1\.0 +127\.0\.0\.1:4747 +up 2 h 14 m +jairouter\.config\.yaml ✓ version 3 .* ● live $/,
    );
    expect(board.lines()[1]).toMatch(
      /req\/s .* 2 in flight +0 queued +0 % failed +61 tok\/s +p50 1\.2 s +p95 4\.0 s +first byte 212 ms +1\.2k calls, 240k tokens out/,
    );
  });

  it('shows an invalid config until it is mended', async () => {
    const problems = ['jairouter.config.yaml:4:3: unknown key "wieght"', 'another'];
    const config = { ...status().config, error: { since: NOON - 5000, problems } };
    const board = mountDashboard({ told: (feed) => feed.snapshot(status({ config })) });
    await board.sees(
      '✗ config not applied: jairouter.config.yaml:4:3: unknown key "wieght" (and 1 more)',
    );
    expect(board.lines()[0]).toContain('✗ invalid since');
    board.feed.snapshot(status());
    await board.seesNot('not applied');
  });

  it('says when a restart is needed, and when the server stops', async () => {
    const config = { ...status().config, restartNeeded: ['server.port'] };
    const board = mountDashboard({ told: (feed) => feed.snapshot(status({ config })) });
    await board.sees('restart the server to apply server.port');
    board.feed.snapshot(status({ draining: true }));
    await board.sees('the server is stopping');
  });

  it('says when there is no connection, and when the next try is', async () => {
    const board = mountDashboard({ told: (feed) => feed.snapshot(status()) });
    await board.sees('● live');
    const connection = {
      state: 'lost',
      triesAgainAt: NOON + 2000,
      reason: 'connection refused',
    } as const;
    board.feed.tell({ kind: 'connection', connection });
    await board.sees('✗ no connection, next try in 2 s');
    await board.sees('✗ connection refused');
    await board.sees('● gpu-1');
    board.feed.snapshot(status());
    await board.sees('● live');
  });
});
