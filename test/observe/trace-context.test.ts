import { describe, expect, it } from 'vitest';
import { openTrace, traceparent } from '../../src/observe/trace-context.ts';

const ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const never = () => 1;

describe('a trace', () => {
  it.each([
    ['sampled', `00-${ID}-${PARENT}-01`, true],
    ['not sampled', `00-${ID}-${PARENT}-00`, false],
    ['with flags of a later day', `00-${ID}-${PARENT}-ff`, true],
    ['of a later version', `01-${ID}-${PARENT}-01-and-more`, true],
    ['with spaces around', ` 00-${ID}-${PARENT}-01 `, true],
  ])('is that of the client: %s', (_, header, sampled) => {
    const trace = openTrace(header, 1, never);
    expect(trace).toMatchObject({ traceId: ID, parentId: PARENT, sampled });
    expect(trace.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(trace.spanId).not.toBe(PARENT);
    expect(traceparent(trace, trace.spanId)).toBe(
      `00-${ID}-${trace.spanId}-${sampled ? '01' : '00'}`,
    );
  });

  it.each([
    ['none', undefined],
    ['two', [`00-${ID}-${PARENT}-01`, `00-${ID}-${PARENT}-01`]],
    ['nonsense', 'hello'],
    ['capitals', `00-${ID.toUpperCase()}-${PARENT}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a span of zeros', `00-${ID}-${'0'.repeat(16)}-01`],
    ['the version that is none', `ff-${ID}-${PARENT}-01`],
    ['more than the first version has', `00-${ID}-${PARENT}-01-more`],
    ['less', `00-${ID}-${PARENT}`],
  ])('is a new one where the client names %s', (_, header) => {
    const trace = openTrace(header, 1, () => 0);
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace.traceId).not.toBe(ID);
    expect(trace.parentId).toBeUndefined();
  });

  it('that is new is sampled by the ratio', () => {
    expect(openTrace(undefined, 0.25, () => 0.24).sampled).toBe(true);
    expect(openTrace(undefined, 0.25, () => 0.25).sampled).toBe(false);
    expect(openTrace(undefined, 0, () => 0).sampled).toBe(false);
    expect(openTrace(undefined, 1, () => 0.999).sampled).toBe(true);
  });
});
