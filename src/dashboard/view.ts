import type { CapturedCall, InstanceDetail, News, RecentCall } from '../observe/status.ts';
import type { Board } from './board.ts';
import type { Answer, ReplayTarget } from './feed.ts';
import type { Binding } from './keys/binding.ts';
import type { PaneName } from './layout.ts';
import type { Order } from './order.ts';
import type { Sort } from './table.ts';

/** How the person looks at the board: what they have chosen, opened and typed. */
export interface View {
  readonly focus: PaneName;
  readonly zoomed: boolean;
  readonly cursors: Readonly<Partial<Record<PaneName, Cursor>>>;
  readonly sorts: Readonly<Partial<Record<PaneName, Sort>>>;
  /** Words that a row must have, each of them. */
  readonly filter: string;
  /** Keys go into the filter. */
  readonly typing: boolean;
  /** The board as it was when the picture was stopped. */
  readonly frozen: Board | undefined;
  /** What has been opened over the panes; the last one is seen. */
  readonly pages: readonly Page[];
  readonly prompt: Prompt | undefined;
  readonly notice: Notice | undefined;
}

/** A row is followed by its key when others come and go; without one, the first row is meant. */
export interface Cursor {
  readonly key: string;
  /** Where it was: there the cursor stays when the row is gone. */
  readonly index: number;
}

/** A page's data comes a moment after it is opened; until then, or when it can't be had, it is absent. */
export type Page = (
  | { readonly kind: 'help'; readonly bindings: readonly Binding[] }
  /** An order has failed for a reason that is too long for the last line. */
  | { readonly kind: 'failed' }
  | {
      readonly kind: 'instance';
      readonly name: string;
      readonly detail: InstanceDetail | undefined;
    }
  | { readonly kind: 'call'; readonly call: RecentCall; readonly detail: CapturedCall | undefined }
  | { readonly kind: 'news'; readonly news: News }
  | { readonly kind: 'curl'; readonly command: string; readonly remark: string | undefined }
  | {
      readonly kind: 'replay';
      readonly call: CapturedCall;
      /** Who is to answer; absent: wherever it is routed. */
      readonly to: ReplayTarget | undefined;
      readonly answer: Answer | undefined;
    }
  | {
      readonly kind: 'choice';
      readonly title: string;
      /** Absent until they are known. */
      readonly options: readonly Option[] | undefined;
      readonly index: number;
    }
) & {
  /** The first line that is seen. */
  readonly scroll: number;
  /** Why its data could not be had, or what went wrong. */
  readonly problem: string | undefined;
};

export interface Option {
  readonly label: string;
  readonly remark: string;
  readonly order: Order;
}

/** A question in the last line. */
export type Prompt =
  | { readonly kind: 'confirm'; readonly question: string; readonly order: Order }
  | {
      readonly kind: 'weight';
      readonly instance: string;
      readonly from: number;
      readonly to: number;
    };

/** What came of an order; it goes away by itself. */
export interface Notice {
  readonly text: string;
  readonly tone: 'good' | 'bad' | 'accent';
  /** Milliseconds since the epoch, on our own clock. */
  readonly until: number;
}

export const FIRST_VIEW: View = {
  focus: 'instances',
  zoomed: false,
  cursors: {},
  sorts: {},
  filter: '',
  typing: false,
  frozen: undefined,
  pages: [],
  prompt: undefined,
  notice: undefined,
};
