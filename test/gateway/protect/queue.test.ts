import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  Queue,
  Slots,
  type Line,
  type Place,
  type Wake,
} from '../../../src/gateway/protect/queue.ts';

const chat: Line = { name: 'chat', size: 100, maxWait: 30_000 };

/** Lets all continuations run. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function slotsOf(queue: Queue, limits: Readonly<Record<string, number | undefined>>) {
  return Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, new Slots(name, limit, queue)]),
  );
}

/** Enters and waits; `order` gets the name when it is woken. */
function waiting(
  queue: Queue,
  instances: readonly string[],
  options: { name?: string; order?: string[]; line?: Line } = {},
): { place: Place; wake: Promise<Wake> } {
  const place = enter(queue, options.line);
  const wake = place.wait(instances, 0).then((wake) => {
    if (options.name !== undefined) options.order?.push(options.name);
    return wake;
  });
  return { place, wake };
}

const entered: Place[] = [];

/** Enters a place that is left at the end of the test at the latest. */
function enter(queue: Queue, line: Line = chat, now = 0): Place {
  const place = queue.enter(line, now)!;
  entered.push(place);
  return place;
}

afterEach(() => {
  for (const place of entered.splice(0)) place.leave();
  vi.useRealTimers();
});

describe('slots', () => {
  it('are as many as maxConcurrency', () => {
    const slots = new Slots('a', 2, new Queue());
    const [first, second, third] = [slots.take(), slots.take(), slots.take()];
    expect([first?.instance, second?.instance, third]).toEqual(['a', 'a', undefined]);
    expect(slots).toMatchObject({ taken: 2, full: true });
    first!.release();
    expect(slots).toMatchObject({ taken: 1, full: false });
  });

  it('are released once, however often it is said', () => {
    const slots = new Slots('a', 2, new Queue());
    const first = slots.take()!;
    slots.take();
    first.release();
    first.release();
    expect(slots.taken).toBe(1);
  });

  it('never run out where there is no limit, and are counted all the same', () => {
    const slots = new Slots('a', undefined, new Queue());
    for (let n = 0; n < 1000; n++) expect(slots.take()).toBeDefined();
    expect(slots).toMatchObject({ taken: 1000, full: false });
  });

  it('run on under a lower limit, and are given out again only below it', async () => {
    const queue = new Queue();
    const slots = new Slots('a', 3, queue);
    const running = [slots.take()!, slots.take()!, slots.take()!];
    const { wake } = waiting(queue, ['a']);
    slots.limit = 1;
    running[0]!.release();
    running[1]!.release();
    expect(slots).toMatchObject({ taken: 1, full: true });
    running[2]!.release();
    expect(await wake).toMatchObject({ instance: 'a' });
    expect(slots.taken).toBe(1);
  });

  it('of a raised limit are for those who wait', async () => {
    const queue = new Queue();
    const slots = new Slots('a', 1, queue);
    slots.take();
    const { wake } = waiting(queue, ['a']);
    slots.limit = 2;
    expect(await wake).toBe('look');
    expect(slots.take()).toBeDefined();
  });
});

describe('a call that waits', () => {
  it('gets the slot that becomes free, which no newcomer can take first', async () => {
    const queue = new Queue();
    const slots = new Slots('a', 1, queue);
    const first = slots.take()!;
    const { wake, place } = waiting(queue, ['a']);
    first.release();
    expect(slots.take()).toBeUndefined();
    const slot = await wake;
    expect(slot).toMatchObject({ instance: 'a' });
    place.leave();
    expect(slots.taken).toBe(1);
    if (typeof slot !== 'string') slot.release();
    expect(slots.taken).toBe(0);
    expect(queue.length('chat')).toBe(0);
  });

  it('is served in the order of arrival, over all services', async () => {
    const queue = new Queue();
    const { a } = slotsOf(queue, { a: 1 });
    const embeddings: Line = { ...chat, name: 'embeddings' };
    let slot = a!.take()!;
    const order: string[] = [];
    const wakes = ['1', '2', '3', '4'].map(
      (name, index) =>
        waiting(queue, ['a'], { name, order, line: index % 2 ? embeddings : chat }).wake,
    );
    for (const wake of wakes) {
      slot.release();
      slot = (await wake) as typeof slot;
    }
    expect(order).toEqual(['1', '2', '3', '4']);
  });

  it('does not hold up those behind it who want another instance', async () => {
    const queue = new Queue();
    const { a, b } = slotsOf(queue, { a: 1, b: 1 });
    a!.take();
    const second = b!.take()!;
    const order: string[] = [];
    waiting(queue, ['a'], { name: 'wants a', order });
    waiting(queue, ['a', 'b'], { name: 'wants either', order });
    waiting(queue, ['b'], { name: 'wants b', order });
    second.release();
    await settled();
    expect(order).toEqual(['wants either']);
  });

  it('knows its position in its line', () => {
    const queue = new Queue();
    const first = enter(queue);
    queue.enter({ ...chat, name: 'speech' }, 0);
    const second = enter(queue);
    expect([first.position, second.position]).toEqual([1, 2]);
    first.leave();
    expect(second.position).toBe(1);
  });

  it('keeps its turn when it passes a slot on', async () => {
    const queue = new Queue();
    const { a, b } = slotsOf(queue, { a: 1, b: 1 });
    const onA = a!.take()!;
    const onB = b!.take()!;
    const order: string[] = [];
    const first = enter(queue);
    const woken = first.wait(['a', 'b'], 0);
    waiting(queue, ['a', 'b'], { name: 'second', order });
    waiting(queue, ['a', 'b'], { name: 'third', order });
    onA.release();
    const slot = await woken;
    if (typeof slot === 'string') throw new Error(slot);
    slot.release(first);
    void first.wait(['b'], 0).then(() => order.push('first'));
    onB.release();
    await settled();
    expect(order).toEqual(['second', 'first']);
    expect([a!.taken, b!.taken]).toEqual([1, 1]);
  });

  it('that can’t use what it is given does not get it back from the next one', async () => {
    const queue = new Queue();
    const { a } = slotsOf(queue, { a: 1 });
    const slot = a!.take()!;
    const handed: number[] = [];
    const fussy = async (number: number) => {
      const place = enter(queue);
      for (;;) {
        const wake = await place.wait(['a'], 0);
        if (typeof wake === 'string') return;
        handed.push(number);
        wake.release(place);
      }
    };
    void fussy(1);
    void fussy(2);
    void fussy(3);
    slot.release();
    await settled();
    expect(handed).toEqual([1, 2, 3]);
    expect(a!.taken).toBe(0);
    a!.take()!.release();
    await settled();
    expect(handed).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('is asked again when one behind it could not use what had passed it by', async () => {
    const queue = new Queue();
    const { a, b } = slotsOf(queue, { a: 1, b: 1 });
    const [onA, onB] = [a!.take()!, b!.take()!];
    const first = enter(queue);
    const firstWake = first.wait(['a', 'b'], 0);
    const second = enter(queue);
    const secondWake = second.wait(['a'], 0);
    onB.release();
    onA.release();
    const [gotB, gotA] = [await firstWake, await secondWake];
    if (typeof gotA === 'string' || typeof gotB === 'string') throw new Error('no slots');
    gotB.release(first);
    const again = first.wait(['a'], 0);
    gotA.release(second);
    expect(await again).toMatchObject({ instance: 'a' });
  });

  it('leaves at once when its client goes', async () => {
    const queue = new Queue();
    const { a } = slotsOf(queue, { a: 1 });
    a!.take();
    const { place, wake } = waiting(queue, ['a']);
    place.leave();
    place.leave();
    expect(queue.length('chat')).toBe(0);
    expect(await wake).toBe('left');
    expect(await place.wait(['a'], 0)).toBe('left');
  });

  it('gives the slot on that was underway to it when its client went', async () => {
    const queue = new Queue();
    const { a } = slotsOf(queue, { a: 1 });
    const slot = a!.take()!;
    const first = waiting(queue, ['a']);
    const second = waiting(queue, ['a']);
    slot.release();
    first.place.leave();
    expect(await first.wake).toBe('left');
    expect(await second.wake).toMatchObject({ instance: 'a' });
    expect(a!.taken).toBe(1);
  });

  it('has left though it was woken for something else in the same moment', async () => {
    const queue = new Queue();
    const { a } = slotsOf(queue, { a: 1 });
    a!.take();
    const { place, wake } = waiting(queue, ['a']);
    queue.reconsider();
    place.leave();
    expect(await wake).toBe('left');
  });

  it('has waited long enough after maxWait, over all its waits', async () => {
    vi.useFakeTimers();
    const queue = new Queue();
    const { a } = slotsOf(queue, { a: 1 });
    a!.take();
    const place = enter(queue, { ...chat, maxWait: 1000 }, 5000);
    const first = place.wait(['a'], 5000, 5600);
    await vi.advanceTimersByTimeAsync(600);
    expect(await first).toBe('look');
    const wakes: Wake[] = [];
    void place.wait(['a'], 5600).then((wake) => wakes.push(wake));
    await vi.advanceTimersByTimeAsync(399);
    expect(wakes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(wakes).toEqual(['timeout']);
    expect(queue.length('chat')).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers();
    const queue = new Queue();
    const { a } = slotsOf(queue, { a: 1 });
    const slot = a!.take()!;
    waiting(queue, ['a']);
    const { place } = waiting(queue, ['a']);
    expect(vi.getTimerCount()).toBe(2);
    slot.release();
    place.leave();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('looks again when something has changed, the first one first', async () => {
    const queue = new Queue();
    const { a } = slotsOf(queue, { a: 1 });
    a!.take();
    const order: string[] = [];
    const wakes = ['1', '2', '3'].map((name) => waiting(queue, ['a'], { name, order }).wake);
    queue.reconsider();
    expect(await Promise.all(wakes)).toEqual(['look', 'look', 'look']);
    expect(order).toEqual(['1', '2', '3']);
    expect(queue.length('chat')).toBe(3);
  });
});

describe('a line', () => {
  it('takes as many calls as its size, beside those of other lines', () => {
    const queue = new Queue();
    const short: Line = { name: 'short', size: 2, maxWait: 1000 };
    expect([1, 2, 3].map(() => queue.enter(short, 0) !== undefined)).toEqual([true, true, false]);
    expect(queue.enter(chat, 0)).toBeDefined();
    expect(queue.length('short')).toBe(2);
  });

  it('of size 0 takes none', () => {
    expect(new Queue().enter({ ...chat, size: 0 }, 0)).toBeUndefined();
  });

  it('has room again when one leaves', () => {
    const queue = new Queue();
    const line: Line = { name: 'one', size: 1, maxWait: 1000 };
    queue.enter(line, 0)!.leave();
    expect(queue.enter(line, 0)).toBeDefined();
  });
});

type Move =
  | { readonly do: 'call'; readonly wants: readonly string[]; readonly refuses: readonly string[] }
  | { readonly do: 'finish' | 'abort'; readonly which: number }
  | { readonly do: 'limit'; readonly name: string; readonly limit: number }
  | { readonly do: 'reconsider' }
  | { readonly do: 'settle' };

const NAMES = ['a', 'b', 'c'];
const someNames = fc.subarray(NAMES, { minLength: 1 });
const moves = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('call' as const),
        wants: someNames,
        refuses: fc.oneof(
          { weight: 4, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: someNames },
        ),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constant('finish' as const), which: fc.nat(20) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('limit' as const),
        name: fc.constantFrom(...NAMES),
        limit: fc.integer({ min: 1, max: 5 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Move>(
        { do: 'reconsider' },
        { do: 'settle' },
        { do: 'settle' },
        { do: 'settle' },
      ),
    },
  ),
  { minLength: 10, maxLength: 150, size: 'max' },
);

/** A call as the attempt loop treats it: select, wait, select again with what it was given. */
interface SimCall {
  readonly number: number;
  readonly wants: readonly string[];
  /** Instances that it finds unusable only when it gets a slot on them. */
  readonly refuses: Set<string>;
  state: 'waiting' | 'running' | 'over' | 'no candidate';
  place?: Place;
  slot?: Exclude<Wake, string>;
}

class Simulation {
  readonly queue = new Queue();
  readonly slots = slotsOf(this.queue, { a: 1, b: 2, c: 3 });
  readonly calls: SimCall[] = [];
  /** Numbers of calls in the order in which they got to run. */
  readonly started: number[] = [];

  of(state: SimCall['state']): SimCall[] {
    return this.calls.filter((call) => call.state === state);
  }

  async arrive(wants: readonly string[], refuses: readonly string[]): Promise<void> {
    const call: SimCall = {
      number: this.calls.length,
      wants,
      refuses: new Set(refuses),
      state: 'waiting',
    };
    this.calls.push(call);
    const refused = new Set<string>();
    const usable = () =>
      wants.filter(
        (name) => !refused.has(name) && (!call.refuses.has(name) || this.slots[name]!.full),
      );
    for (;;) {
      const names = usable();
      const free = names.find((name) => !this.slots[name]!.full);
      if (free !== undefined) {
        this.#start(call, this.slots[free]!.take()!);
        return;
      }
      if (names.length === 0) {
        call.place?.leave();
        call.state = 'no candidate';
        return;
      }
      call.place ??= this.queue.enter({ ...chat, size: Infinity }, 0)!;
      const wake = await call.place.wait(names, 0);
      if (wake === 'left') return;
      if (wake === 'timeout') throw new Error('nobody waits for so long here');
      if (wake === 'look') continue;
      if (!call.refuses.has(wake.instance)) {
        this.#start(call, wake);
        return;
      }
      refused.add(wake.instance);
      wake.release(call.place);
    }
  }

  #start(call: SimCall, slot: Exclude<Wake, string>): void {
    call.place?.leave();
    call.slot = slot;
    call.state = 'running';
    this.started.push(call.number);
  }

  finish(call: SimCall): void {
    call.state = 'over';
    call.slot!.release();
  }

  abort(call: SimCall): void {
    call.state = 'over';
    call.place!.leave();
  }

  running(name: string): number {
    return this.of('running').filter(({ slot }) => slot!.instance === name).length;
  }
}

describe('whatever comes and goes, in whatever order', () => {
  async function play(schedule: readonly Move[], watch: (sim: Simulation) => void = () => {}) {
    const sim = new Simulation();
    const runs: Promise<void>[] = [];
    const most = { a: 1, b: 2, c: 3 } as Record<string, number>;
    for (const move of schedule) {
      if (move.do === 'call') {
        await settled();
        runs.push(sim.arrive(move.wants, move.refuses));
      } else if (move.do === 'settle') {
        await settled();
        watch(sim);
      } else if (move.do === 'reconsider') sim.queue.reconsider();
      else if (move.do === 'limit') {
        most[move.name] = Math.max(most[move.name]!, move.limit);
        sim.slots[move.name]!.limit = move.limit;
      } else {
        const among = sim.of(move.do === 'finish' ? 'running' : 'waiting');
        const call = among[move.which % among.length];
        if (call) sim[move.do](call);
      }
      for (const name of NAMES) expect(sim.running(name)).toBeLessThanOrEqual(most[name]!);
    }
    for (let rounds = 0; sim.of('waiting').length + sim.of('running').length > 0; rounds++) {
      // Each round ends at least one; more of them means that somebody is lost.
      expect(rounds).toBeLessThanOrEqual(sim.calls.length);
      for (const call of sim.of('running')) sim.finish(call);
      await settled();
      watch(sim);
    }
    await Promise.all(runs);
    return sim;
  }

  it('nobody is lost, no limit is broken, and all counts return to zero', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (schedule) => {
        const sim = await play(schedule);
        expect(sim.queue.length('chat')).toBe(0);
        for (const name of NAMES) expect(sim.slots[name]!.taken).toBe(0);
      }),
    );
  });

  it('nobody waits beside a free slot', async () => {
    let waits = 0;
    await fc.assert(
      fc.asyncProperty(moves, async (schedule) => {
        const sim = await play(
          schedule.flatMap((move) => [move, { do: 'settle' as const }]),
          (now) => {
            for (const { wants, refuses } of now.of('waiting')) {
              waits += 1;
              const free = wants.filter((name) => !now.slots[name]!.full && !refuses.has(name));
              expect(free).toEqual([]);
            }
          },
        );
        expect(sim.of('waiting')).toEqual([]);
      }),
    );
    expect(waits).toBeGreaterThan(1000);
  });

  it('those who want the same are served as they came', async () => {
    let pairs = 0;
    await fc.assert(
      fc.asyncProperty(moves, async (schedule) => {
        const sim = await play(schedule);
        const turn = new Map(sim.started.map((number, index) => [number, index]));
        const last = new Map<string, number>();
        for (const { number, wants, refuses } of sim.calls) {
          const at = turn.get(number);
          if (at === undefined || refuses.size > 0) continue;
          const key = wants.join();
          if (last.has(key)) pairs += 1;
          expect(at).toBeGreaterThan(last.get(key) ?? -1);
          last.set(key, at);
        }
      }),
    );
    expect(pairs).toBeGreaterThan(1000);
  });
});
