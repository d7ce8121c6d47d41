import { describe, expect, it } from 'vitest';
import { mountDashboard, type TestDashboard } from '../support/dashboard.tsx';
import {
  breaker,
  call,
  capturedCall,
  capturedText,
  failedCall,
  instance,
  instanceDetail,
  status,
  type FakeFeed,
} from '../support/fake-feed.ts';

const WIDE = { columns: 160, rows: 60 };

async function opened(
  pane: '1' | '3',
  told: (feed: FakeFeed) => void,
  size = WIDE,
): Promise<TestDashboard> {
  const board = mountDashboard({
    size,
    told: (feed) => {
      feed.snapshot(status());
      told(feed);
    },
  });
  await board.sees('gpu-1');
  if (pane === '3') await board.press('3');
  await board.press('enter');
  await board.seesNot('1 Instances');
  return board;
}

describe('the page of an instance', () => {
  it('has its state, traffic, catalogue, errors, breaker and config', async () => {
    const board = await opened('1', () => {});
    await board.sees('Config in effect');
    for (const part of [
      'Instance gpu-1',
      'healthy for 10 m',
      'next probe   in 4 s',
      'running      3 of 16, 0 waiting for room',
      'duration    p50 1.2 s, p95 4.0 s, p99 6.1 s',
      'first byte  p50 212 ms, p95 480 ms, p99 900 ms',
      '1.2k: 1.2k good, 30 failed, 4 cut, 6 left by the client',
      '2 models, ● 1 in memory',
      '33k context',
      'also qwen3-coder',
      'whatever fits',
      'chat, completions, embeddings',
      'CUDA out of memory',
      '5 failures one after the other',
      'apiKey: "sk-…b3f"',
      '  connect: 3s',
    ]) {
      await board.sees(part);
    }
  });

  it('draws how long the answers took', async () => {
    const board = await opened('1', () => {});
    await board.sees('Durations, last minute');
    const bars = board
      .lines()
      .flatMap((line) => /≤ ([\d.]+ m?s) +(█*[▏▎▍▌▋▊▉]?) ?(\d*)/.exec(line) ?? [])
      .filter((_, index) => index % 4 !== 0);
    expect(bars.filter((_, index) => index % 3 === 0)).toEqual([
      '100 ms',
      '200 ms',
      '400 ms',
      '800 ms',
      '1.6 s',
    ]);
    expect(bars.filter((_, index) => index % 3 === 2)).toEqual(['4', '40', '12', '', '1']);
    const lengths = bars.filter((_, index) => index % 3 === 1).map((one) => one.length);
    expect(lengths[1]).toBe(Math.max(...lengths));
    expect(lengths[4]).toBeGreaterThan(0);
  });

  it('tells why it is not well', async () => {
    const down = instance('gpu-1', {
      state: 'unhealthy',
      stateDetail: 'connection refused',
      breaker: breaker({ state: 'open', reason: '5 failures one after the other' }),
    });
    const board = await opened('1', (feed) => feed.snapshot(status({ instances: [down] })));
    await board.sees('✗ unhealthy');
    await board.sees('because      connection refused');
    await board.sees('because      5 failures one after the other');
  });

  it('joins the steps of a long histogram, and says when there is nothing to draw', async () => {
    const steps = Array.from({ length: 60 }, (_, index) => ({ until: (index + 1) * 50, count: 1 }));
    const board = await opened('1', (feed) => {
      feed.answers.instance = () => instanceDetail('gpu-1', { histogram: steps });
    });
    await board.sees('≤ 3.0 s');
    expect(board.lines().filter((line) => line.includes('≤'))).toHaveLength(12);
    board.feed.answers.instance = () => instanceDetail('gpu-1', { histogram: [], lastErrors: [] });
    board.feed.snapshot(status());
    await board.sees('no good answer');
  });

  it('has one column, and can be scrolled, where it is narrow', async () => {
    const board = await opened('1', () => {}, { columns: 80, rows: 24 });
    await board.sees(/1–20 of \d+/);
    expect(board.text()).not.toContain('Config in effect');
    await board.press('end');
    await board.sees('models: ["qwen-*"]');
  });
});

describe('the page of a call', () => {
  it('has every attempt with where, when, why and what came of it', async () => {
    const board = await opened('3', (feed) => feed.tell({ kind: 'call', call: failedCall(1) }));
    await board.sees('2 attempts');
    expect(board.line('1 gpu-1')).toMatch(/1 gpu-1 +░+ +\+1\.0 ms +90 ms +✗ 500, while waiting/);
    expect(board.line('2 gpu-2')).toMatch(/2 gpu-2 +░ +\+92 ms +4\.0 ms +✗ while connecting/);
    await board.sees('because least connections of 2');
    await board.sees('because gpu-1 failed');
    await board.sees('CUDA out of memory');
    await board.sees('✗ 502 upstream_unreachable');
  });

  it('draws waiting and answering over its time', async () => {
    const board = await opened('3', (feed) => feed.tell({ kind: 'call', call: call(1) }));
    await board.sees('1 attempt ');
    expect(board.line('1 gpu-1')).toMatch(/░{8,9}█{40,} .* 1\.4 s +✓ 200/);
    await board.sees('first byte after 210 ms');
    await board.sees('202 tok/s');
  });

  it('shows headers, masked, and bodies when they were captured', async () => {
    const board = await opened('3', (feed) => {
      feed.answers.call = () => capturedCall();
      feed.tell({ kind: 'call', call: call(1, { captured: true }) });
    });
    await board.sees('authorization  ***');
    await board.sees(`"content": "Why's the sky blue?"`);
    await board.sees('"content": "The sky is blue since light scatters."');
    expect(board.feed.orders).toEqual(['call("req_1")']);
  });

  it('says how to keep bodies, and when one was too long for that', async () => {
    const board = await opened('3', (feed) => feed.tell({ kind: 'call', call: call(1) }));
    await board.sees('Its bodies were not kept. With `capture` in the config, they are.');
    expect(board.feed.orders).toEqual([]);
    const other = await opened('3', (feed) => {
      const { answer: _, request, ...rest } = capturedCall();
      feed.answers.call = () => ({ ...rest, request: { ...request!, truncated: true } });
      feed.tell({ kind: 'call', call: call(1, { captured: true }) });
    });
    await other.sees('… and more that was not kept');
    await other.sees('not kept');
  });

  it('shows the beginning of a body that is longer than anybody reads', async () => {
    const board = await opened('3', (feed) => {
      const body = JSON.stringify({ data: [{ b64_json: 'QUJD'.repeat(300_000) }] });
      feed.answers.call = () =>
        capturedCall({ answer: capturedText(body, { headers: { 'x-kind': 'picture' } }) });
      feed.tell({ kind: 'call', call: call(1, { captured: true }) });
    });
    await board.sees('x-kind  picture');
    await board.press('end');
    await board.sees('… and 1.1M more characters');
  });
});

describe('the page of a replay', () => {
  it('waits, and then says when the texts are the same', async () => {
    const board = await opened('3', (feed) => {
      const before = capturedCall();
      feed.answers.call = () => before;
      feed.answers.replay = () => ({
        status: 200,
        instance: 'gpu-1',
        model: 'Qwen/Qwen3-Coder-30B',
        firstByte: 215,
        duration: 700,
        answer: before.answer!,
      });
      feed.tell({ kind: 'call', call: before });
    });
    await board.press('r');
    await board.sees('wherever it is routed');
    await board.press('enter');
    await board.sees('Text: no difference');
    expect(board.line('│ first byte')).toContain('about the same');
    expect(board.line('│ total')).toMatch(/50 % faster/);
  });

  it('compares what the client waited for, its turn too', async () => {
    const board = await opened('3', (feed) => {
      const before = capturedCall({ stream: true, duration: 1000, firstByte: 900, waited: 700 });
      feed.answers.call = () => before;
      feed.tell({ kind: 'call', call: before });
    });
    await board.press('r');
    await board.sees('wherever it is routed');
    await board.press('enter');
    await board.sees('of that waited  700 ms');
    expect(board.line('│ total')).toMatch(/1\.0 s +2\.0 s +2\.0 times as long/);
    // 9 tokens in the 100 ms after the first byte.
    expect(board.line('│ tok/s')).toMatch(/90\.0/);
  });

  it('does not praise an error for its speed, nor mixes texts that have nothing in common', async () => {
    const board = await opened('3', (feed) => {
      feed.answers.replay = () => ({
        status: 503,
        instance: undefined,
        model: undefined,
        firstByte: 2,
        duration: 2,
        answer: capturedText(JSON.stringify({ error: { message: 'No instance can serve it.' } })),
      });
      feed.tell({ kind: 'call', call: capturedCall() });
    });
    await board.press('r');
    await board.sees('wherever it is routed');
    await board.press('enter');
    await board.sees('[-The sky is blue since light scatters.-]');
    await board.sees('{+error: No instance can serve it.+}');
    expect(board.text()).not.toContain('faster');
  });

  it('tells what went wrong', async () => {
    const board = await opened('3', (feed) => {
      feed.answers.call = () => capturedCall();
      feed.answers.replay = () => {
        throw new Error('connection refused');
      };
      feed.tell({ kind: 'call', call: call(1, { captured: true }) });
    });
    await board.press('r');
    await board.sees('wherever it is routed');
    await board.press('enter');
    await board.sees('✗ connection refused');
  });
});

describe('the help', () => {
  it('has every key, column and sign', async () => {
    const board = mountDashboard({ size: WIDE });
    await board.press('?');
    await board.sees('Signs');
    for (const part of [
      'the running ones end',
      'compare the answers',
      'back to the shell',
      '✗\u00a0unhealthy',
      'p50 p95',
    ]) {
      await board.sees(part);
    }
  });
});
