import type { CapturedCall, RecentCall } from '../observe/status.ts';
import type { BreakerOrder, InstanceChange, ReplayTarget } from './feed.ts';

/** What a key has set going outside of the picture. The store carries it out. */
export type Order =
  | {
      readonly do: 'change';
      readonly instance: string;
      readonly change: InstanceChange;
      /** Said when it has come about. */
      readonly done: string;
    }
  | {
      readonly do: 'breaker';
      readonly instance: string;
      readonly action: BreakerOrder;
      readonly done: string;
    }
  | { readonly do: 'reload' }
  | { readonly do: 'rollback'; readonly version: number }
  /** Gets the data of the page on top: an instance's or a call's. */
  | { readonly do: 'load' }
  /** Gets the configs to choose from, for the page on top. */
  | { readonly do: 'history' }
  | { readonly do: 'replay'; readonly call: CapturedCall; readonly to: ReplayTarget | undefined }
  /** Copies a call as a command, and shows it. */
  | { readonly do: 'curl'; readonly call: RecentCall }
  /** Lets choose where a call is sent again. */
  | { readonly do: 'targets'; readonly call: RecentCall }
  /** Asks before it goes on. */
  | { readonly do: 'ask'; readonly question: string; readonly order: Order }
  | { readonly do: 'suspend' }
  | { readonly do: 'leave' };
