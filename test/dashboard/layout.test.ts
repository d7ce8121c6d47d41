import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOut, PANES, type LayoutOptions } from '../../src/dashboard/layout.ts';

const ROWS = { instances: 6, streams: 2, calls: Infinity, events: 20, models: 4 };

function panes(columns: number, rows: number, given: Partial<LayoutOptions> = {}): string[] {
  const options = { around: 3, focus: 'instances', zoomed: false, rows: ROWS, ...given } as const;
  return layOut({ ...options, size: { columns, rows } }).map(({ name }) => name);
}

describe('the layout', () => {
  it('drops panes as the terminal gets lower, the least important first', () => {
    expect(panes(120, 45)).toEqual(['instances', 'streams', 'models', 'calls', 'events']);
    expect(panes(100, 30)).toEqual(['instances', 'streams', 'calls', 'events']);
    expect(panes(80, 24)).toEqual(['instances', 'calls', 'events']);
    expect(panes(80, 18)).toEqual(['instances', 'calls']);
    expect(panes(80, 12)).toEqual(['instances']);
  });

  it('has panes side by side where it is wide', () => {
    const placed = layOut({
      size: { columns: 250, rows: 70 },
      around: 3,
      focus: 'calls',
      zoomed: false,
      rows: ROWS,
    });
    const [instances, calls, streams] = placed;
    expect(instances).toMatchObject({ x: 0, y: 0, width: 250, height: 9 });
    expect(calls).toMatchObject({ name: 'calls', x: 0, y: 9, width: 145, height: 58 });
    expect(streams).toMatchObject({ name: 'streams', x: 145, y: 9, width: 105 });
  });

  it('shows the pane that has the focus, whatever has to go for it', () => {
    expect(panes(80, 24, { focus: 'models' })).toContain('models');
    expect(panes(80, 10, { focus: 'events' })).toEqual(['events']);
    expect(panes(80, 24, { focus: 'models', zoomed: true })).toEqual(['models']);
  });

  it('fills the room exactly, without one pane over another', () => {
    const options = fc.record({
      size: fc.record({
        columns: fc.integer({ min: 40, max: 300 }),
        rows: fc.integer({ min: 8, max: 90 }),
      }),
      around: fc.integer({ min: 2, max: 4 }),
      focus: fc.constantFrom(...PANES),
      zoomed: fc.boolean(),
      rows: fc.record({
        instances: fc.nat(60),
        streams: fc.nat(100),
        calls: fc.constant(Infinity),
        events: fc.nat(100),
        models: fc.nat(100),
      }),
    });
    fc.assert(
      fc.property(options, (given) => {
        const height = given.size.rows - given.around;
        const placed = layOut(given);
        const covered = placed.reduce((sum, one) => sum + one.width * one.height, 0);
        expect(covered).toBe(given.size.columns * height);
        for (const one of placed) {
          expect(one.x + one.width).toBeLessThanOrEqual(given.size.columns);
          expect(one.y + one.height).toBeLessThanOrEqual(height);
          for (const other of placed) {
            if (other === one) continue;
            const apart =
              one.x + one.width <= other.x ||
              other.x + other.width <= one.x ||
              one.y + one.height <= other.y ||
              other.y + other.height <= one.y;
            expect(apart).toBe(true);
          }
        }
        expect(placed.map(({ name }) => name)).toContain(given.focus);
      }),
    );
  });
});
