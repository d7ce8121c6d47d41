import type { Buckets } from '../buckets.ts';
import type { Observatory } from '../observatory.ts';
import type { Status } from '../status.ts';

/** What there is to tell at one moment. */
export interface Reading {
  readonly observe: Observatory;
  readonly status: Status;
}

export type Labels = Readonly<Record<string, string>>;
export type Value = readonly [labels: Labels, value: number];
export type Histogram = readonly [labels: Labels, value: Buckets];

/** A metric of Prometheus; its name is its key in the table. */
export type Metric = {
  /** What it says, in a sentence. */
  readonly help: string;
  readonly labels: readonly string[];
} & (
  | {
      readonly type: 'counter' | 'gauge';
      readonly read: (reading: Reading) => Iterable<Value>;
    }
  | {
      readonly type: 'histogram';
      readonly read: (reading: Reading) => Iterable<Histogram>;
    }
);
