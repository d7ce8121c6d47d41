import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Patience } from '../../src/http/patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function waiting(longest = 1000) {
  const overdue = vi.fn<() => void>();
  return { patience: new Patience({ overdue }, longest), overdue };
}

describe('patience with an attempt', () => {
  it('ends when a wait has been as long as it may', () => {
    const { patience, overdue } = waiting();
    patience.begin(500);
    vi.advanceTimersByTime(499);
    expect(overdue).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(overdue).toHaveBeenCalledOnce();
  });

  it('starts anew with each thing that comes', () => {
    const { patience, overdue } = waiting();
    patience.begin(500);
    for (let n = 0; n < 10; n += 1) {
      vi.advanceTimersByTime(400);
      patience.again();
    }
    expect(overdue).not.toHaveBeenCalled();
    vi.advanceTimersByTime(501);
    expect(overdue).toHaveBeenCalledOnce();
  });

  it.each([
    [50, 800],
    [800, 50],
  ])('counts the wait that was begun last: %i ms, then %i ms', (first, second) => {
    const { patience, overdue } = waiting();
    patience.begin(first);
    vi.advanceTimersByTime(10);
    patience.begin(second);
    vi.advanceTimersByTime(second - 1);
    expect(overdue).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(overdue).toHaveBeenCalledOnce();
  });

  it('waits longer than its timer is set for', () => {
    const { patience, overdue } = waiting(100);
    patience.begin(5000);
    vi.advanceTimersByTime(4999);
    expect(overdue).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(overdue).toHaveBeenCalledOnce();
  });

  it('asks again when it is told to, and not after its end', () => {
    const { patience, overdue } = waiting();
    patience.begin(100);
    vi.advanceTimersByTime(101);
    patience.look(50);
    vi.advanceTimersByTime(51);
    expect(overdue).toHaveBeenCalledTimes(2);
    patience.look(50);
    patience.end();
    vi.advanceTimersByTime(1000);
    expect(overdue).toHaveBeenCalledTimes(2);
  });
});
