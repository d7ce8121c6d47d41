import { randomBytes } from 'node:crypto';

/** A call's place in a distributed trace (W3C Trace Context). */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the call itself: 16 hexadecimal digits. */
  readonly spanId: string;
  /** Of whoever called; absent when the trace begins here. */
  readonly parentId: string | undefined;
  /** Whether its spans are told to anybody. */
  readonly sampled: boolean;
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Opens a call's trace: as a part of the client's, when it names one, which then also decides
 * whether it is sampled; else as a new one.
 * @param sampleRatio Of new traces, from 0 to 1.
 * @param random Uniform in [0, 1).
 */
export function openTrace(
  traceparent: string | string[] | undefined,
  sampleRatio: number,
  random: () => number,
): Trace {
  const parent = readTraceparent(traceparent);
  return {
    traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
    spanId: newSpanId(),
    parentId: parent?.spanId,
    sampled: parent?.sampled ?? random() < sampleRatio,
  };
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

/** The header that makes a span the parent of what the next server does. */
export function traceparent({ traceId, sampled }: Trace, spanId: string): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

function readTraceparent(
  header: string | string[] | undefined,
): { traceId: string; spanId: string; sampled: boolean } | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = PARENT.exec(header.trim()) ?? [];
  // A later version may say more at the end; the first one may not.
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined))
    return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
