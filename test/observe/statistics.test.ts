import { describe, expect, it } from 'vitest';
import { MOST_MODELS, Statistics } from '../../src/observe/statistics.ts';
import { attempt, outcome } from '../support/outcome.ts';

const failed = { ending: 'error', error: 'it is down', errorKind: 'upstream_unreachable' } as const;

describe('what is counted of a call', () => {
  it('is counted of the whole, its model and each of its attempts', () => {
    const statistics = new Statistics();
    statistics.keep(['a', 'b']);
    const attempts = [
      attempt({ instance: 'a', ...failed, usage: undefined, bytesOut: 0 }),
      attempt({ instance: 'b' }),
    ];
    statistics.add(outcome({ attempts }), 0);
    const call = {
      calls: 1,
      ok: 1,
      failed: 0,
      broken: 0,
      aborted: 0,
      errors: {},
      tokensIn: 10,
      tokensOut: 50,
      tokensGuessed: 0,
      bytesIn: 100,
      bytesOut: 1000,
    };
    expect(statistics.whole.totals()).toEqual(call);
    expect(new Map(statistics.models()).get('coder')!.tally.totals()).toEqual(call);
    expect(statistics.instance('b')!.tally.totals()).toEqual(call);
    expect(statistics.instance('a')!.tally.totals()).toEqual({
      ...call,
      ok: 0,
      failed: 1,
      errors: { upstream_unreachable: 1 },
      tokensIn: 0,
      tokensOut: 0,
      bytesOut: 0,
    });
  });

  it('is the share of errors, the usual times of good ones, and tokens of the last minute', () => {
    const { whole } = new Statistics();
    for (let second = 0; second < 10; second++) whole.add(outcome(), 100_000 + second * 1000);
    whole.add(outcome({ ...failed, duration: 5, firstByte: undefined }), 109_000);
    whole.add(outcome({ ending: 'aborted', duration: 5 }), 109_000);
    const recent = whole.recent(109_999);
    expect(recent.perSecond.slice(-11)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3]);
    expect(recent.errorShare).toBeCloseTo(1 / 12);
    expect(recent.errors).toEqual({ upstream_unreachable: 1 });
    expect(recent.duration!.p50 / 1200).toBeCloseTo(1, 1);
    expect(recent.firstByte!.p99 / 200).toBeCloseTo(1, 1);
    expect(recent.tokensPerSecond).toBeCloseTo((12 * 50) / 60);
    expect(recent.tokensGuessed).toBe(false);
    expect(whole.recent(200_000)).toEqual({
      perSecond: Array.from({ length: 60 }, () => 0),
      tokensPerSecond: 0,
      tokensGuessed: false,
    });
  });

  it('marks guessed tokens, and keeps them apart', () => {
    const { whole } = new Statistics();
    whole.add(outcome({ usage: undefined, tokensGuessed: 60 }), 10_000);
    expect(whole.totals()).toMatchObject({ tokensOut: 0, tokensGuessed: 60 });
    expect(whole.recent(10_000).tokensGuessed).toBe(true);
    expect(whole.recent(10_000).tokensPerSecond).toBeCloseTo(1);
  });
});

describe('instances', () => {
  it('keep what was counted of them as others come and go', () => {
    const statistics = new Statistics();
    statistics.keep(['a', 'b']);
    statistics.add(outcome({ attempts: [attempt({ instance: 'a' })] }), 0);
    statistics.keep(['c', 'a']);
    expect(statistics.instance('a')!.tally.totals().calls).toBe(1);
    expect(statistics.instance('b')).toBeUndefined();
  });

  it('that are gone are not brought back by a call that still ran on them', () => {
    const statistics = new Statistics();
    statistics.keep(['a']);
    statistics.keep([]);
    statistics.add(outcome({ attempts: [attempt({ instance: 'a' })] }), 0);
    expect(statistics.instance('a')).toBeUndefined();
    expect(statistics.whole.totals().calls).toBe(1);
  });

  it('remember their last ten errors, but no lost race', () => {
    const statistics = new Statistics();
    statistics.keep(['a']);
    for (let call = 0; call < 12; call++) {
      const attempts = [attempt({ instance: 'a', ...failed })];
      statistics.add(outcome({ id: `req_${call}`, at: 1000, attempts }), 0);
    }
    const lost = attempt({ instance: 'a', ending: 'aborted', error: 'another was faster' });
    statistics.add(outcome({ attempts: [lost] }), 0);
    const { lastErrors } = statistics.instance('a')!;
    expect(lastErrors).toHaveLength(10);
    expect(lastErrors[0]).toEqual({
      at: 1000 + 1 + 1199,
      call: 'req_11',
      model: 'Qwen/Qwen3',
      message: 'it is down',
    });
  });
});

describe('models', () => {
  const names = (statistics: Statistics) => [...statistics.models()].map(([name]) => name);

  it('that nobody has get no row', () => {
    const statistics = new Statistics();
    statistics.add(outcome({ model: 'junk', modelKnown: false }), 0);
    statistics.add(outcome({ model: undefined, modelKnown: false }), 0);
    expect(names(statistics)).toEqual([]);
    expect(statistics.whole.totals().calls).toBe(2);
  });

  it('are bounded: one without a row gets that of the one that was silent longest', () => {
    const statistics = new Statistics();
    for (let model = 0; model < MOST_MODELS; model++) {
      statistics.add(outcome({ model: `model-${model}` }), model);
    }
    statistics.add(outcome({ model: 'late' }), 1000);
    expect(names(statistics)).toHaveLength(MOST_MODELS);
    expect(names(statistics)).not.toContain('late');
    statistics.add(outcome({ model: 'model-0' }), 500_000);
    statistics.add(outcome({ model: 'late' }), 700_000);
    expect(names(statistics)).toHaveLength(MOST_MODELS);
    expect(names(statistics)).toContain('late');
    expect(names(statistics)).toContain('model-0');
    expect(names(statistics)).not.toContain('model-1');
  });
});
