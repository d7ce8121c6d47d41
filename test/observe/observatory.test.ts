import { describe, expect, it } from 'vitest';
import type { Log } from '../../src/observe/log.ts';
import { Observatory, seqOf, type Happening } from '../../src/observe/observatory.ts';
import { usedHeap } from '../support/memory.ts';
import { attempt, outcome } from '../support/outcome.ts';

function observatory(): { observe: Observatory; said: string[] } {
  const said: string[] = [];
  const log: Log = {
    call: () => {},
    say: (level, message) => void said.push(`${level} ${message}`),
    show: () => {},
    flush: () => {},
  };
  return { observe: new Observatory(log), said };
}

const news = { kind: 'config', level: 'info', message: 'reloaded' } as const;

it('takes no more memory, whatever names clients make up', () => {
  const { observe } = observatory();
  observe.statistics.keep(['a', 'b']);
  let made = 0;
  const record = (calls: number): void => {
    for (const end = made + calls; made < end; made++) {
      observe.record(
        outcome({
          id: `req_${made}`,
          model: `model-${made}`,
          modelKnown: made % 2 === 0,
          client: `10.0.${made >> 8}.${made & 255}`,
          key: `key-${made}`,
          attempts: [attempt({ instance: made % 3 === 0 ? 'a' : 'b', model: `own-${made}` })],
        }),
      );
    }
  };
  // What is kept is full by then.
  record(5000);
  const before = usedHeap();
  record(50_000);
  // A byte or two for each would be a hundred thousand.
  expect(usedHeap() - before).toBeLessThan(500_000);
});

describe('the calls that are kept', () => {
  it('are the last thousand, the latest first', () => {
    const { observe } = observatory();
    for (let call = 1; call <= 1500; call++) observe.record(outcome({ id: `req_${call}` }));
    const kept = observe.recent();
    expect(kept).toHaveLength(1000);
    expect(kept[0]).toMatchObject({ id: 'req_1500', seq: 1500 });
    expect(kept.at(-1)).toMatchObject({ id: 'req_501' });
    expect(observe.recent({ limit: 3 }).map(({ id }) => id)).toEqual([
      'req_1500',
      'req_1499',
      'req_1498',
    ]);
  });

  it('are found by their id, the latest of equals', () => {
    const { observe } = observatory();
    observe.record(outcome({ id: 'same', model: 'old' }));
    observe.record(outcome({ id: 'same', model: 'new' }));
    expect(observe.call('same', String)).toMatchObject({ model: 'new' });
    expect(observe.call('other', String)).toBeUndefined();
  });

  it('are chosen by error, model and any instance on their way', () => {
    const { observe } = observatory();
    observe.record(outcome({ id: '1', model: 'm', attempts: [attempt({ instance: 'a' })] }));
    observe.record(outcome({ id: '2', ending: 'error', attempts: [attempt({ instance: 'b' })] }));
    observe.record(
      outcome({
        id: '3',
        model: 'm',
        ending: 'broken',
        attempts: [attempt({ instance: 'b' }), attempt({ instance: 'a' })],
      }),
    );
    observe.record(outcome({ id: '4', ending: 'aborted' }));
    const ids = (filter: Parameters<Observatory['recent']>[0]) =>
      observe.recent(filter).map(({ id }) => id);
    expect(ids({ errors: true })).toEqual(['3', '2']);
    expect(ids({ model: 'm' })).toEqual(['3', '1']);
    expect(ids({ instance: 'b' })).toEqual(['3', '2']);
    expect(ids({ instance: 'b', errors: true, model: 'm' })).toEqual(['3']);
    expect(ids({ model: 'm', limit: 1 })).toEqual(['3']);
  });

  it('are shown with the way they took, and without what nobody knows', () => {
    const { observe } = observatory();
    observe.record(
      outcome({
        usage: undefined,
        attempts: [
          attempt({ instance: 'a', error: 'down', phase: 'connecting', status: undefined }),
          attempt({
            choice: { by: 'least-connections', of: 2, after: 'a', fallback: false },
          }),
        ],
      }),
    );
    const [call] = observe.recent();
    expect(call).not.toHaveProperty('usage');
    expect(call).not.toHaveProperty('key');
    expect(call!.attempts).toEqual([
      expect.objectContaining({ instance: 'a', why: 'only candidate', phase: 'connecting' }),
      expect.objectContaining({ why: 'a failed; least connections of 2', phase: 'done' }),
    ]);
    expect(call!.attempts[0]).not.toHaveProperty('status');
  });
});

describe('news', () => {
  it('are logged with their further lines, unless told otherwise', () => {
    const { observe, said } = observatory();
    observe.news({ ...news, lines: ['+ a', '- b'] });
    observe.news({ ...news, level: 'warn', message: 'quiet' }, { logged: false });
    expect(said).toEqual(['info reloaded\n+ a\n- b']);
    expect(observe.recentNews().map(({ message }) => message)).toEqual(['quiet', 'reloaded']);
  });

  it('are bounded', () => {
    const { observe } = observatory();
    for (let one = 0; one < 1200; one++) observe.news(news);
    expect(observe.recentNews()).toHaveLength(1000);
  });
});

describe('a follower', () => {
  function follow(observe: Observatory, after?: number) {
    const heard: Happening[] = [];
    const following = observe.follow((one) => heard.push(one), after);
    return { seqs: () => heard.map(seqOf), heard, close: () => following.close() };
  }

  it('gets what there was, the oldest first, then what comes, in one sequence', () => {
    const { observe } = observatory();
    observe.record(outcome());
    observe.news(news);
    observe.record(outcome());
    const { seqs, heard, close } = follow(observe);
    observe.news(news);
    observe.record(outcome());
    expect(seqs()).toEqual([1, 2, 3, 4, 5]);
    expect(heard.map(({ kind }) => kind)).toEqual(['call', 'news', 'call', 'news', 'call']);
    close();
    observe.record(outcome());
    expect(heard).toHaveLength(5);
  });

  it('without a beginning gets the last 200 calls and news', () => {
    const { observe } = observatory();
    for (let one = 0; one < 300; one++) {
      observe.record(outcome());
      observe.news(news);
    }
    const { seqs } = follow(observe);
    expect(seqs()).toEqual(Array.from({ length: 400 }, (_, index) => 201 + index));
  });

  it('that comes again gets what it missed, as far as that is kept', () => {
    const { observe } = observatory();
    for (let one = 0; one < 1300; one++) observe.record(outcome());
    expect(follow(observe, 1298).seqs()).toEqual([1299, 1300]);
    expect(follow(observe, 1300).seqs()).toEqual([]);
    expect(follow(observe, 0).seqs()).toHaveLength(1000);
  });

  it('that knows more than ever happened here has met another run, and begins anew', () => {
    const { observe } = observatory();
    observe.record(outcome());
    expect(follow(observe, 5000).seqs()).toEqual([1]);
  });
});
