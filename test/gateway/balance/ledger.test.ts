import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../src/gateway/balance/ledger.ts';

const open = (generation: number) => new Ledger((name) => ({ name, marks: 0 }), generation);

describe('ledger', () => {
  it('has one entry a name, wherever it stands', () => {
    const ledger = open(10);
    ledger.entry('a', 0).marks = 1;
    expect(ledger.entry('a', 7).marks).toBe(1);
    expect(ledger.entry('b', 0).marks).toBe(0);
    expect(ledger.entry('a', 0).marks).toBe(1);
  });

  it('stays bounded while ever new names come', () => {
    const ledger = open(10);
    for (let n = 0; n < 1000; n++) ledger.entry(`i${n}`, n % 4);
    expect(ledger.size).toBeLessThanOrEqual(20);
  });

  it('keeps those that are still seen, and forgets those that are not', () => {
    const ledger = open(10);
    ledger.entry('stays', 0).marks = 1;
    ledger.entry('leaves', 1).marks = 1;
    for (let n = 0; n < 1000; n++) {
      ledger.entry('stays', 0);
      ledger.entry(`i${n}`, 1);
    }
    expect(ledger.entry('stays', 3).marks).toBe(1);
    expect(ledger.entry('leaves', 3).marks).toBe(0);
  });

  it('never has two entries for one name, not even across generations', () => {
    const ledger = open(3);
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (let n = 0; n < 500; n++) {
      const entry = ledger.entry(names[(n * 5) % 7]!, n % 3);
      expect(ledger.entry(entry.name, (n + 1) % 3)).toBe(entry);
    }
  });
});
