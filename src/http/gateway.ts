import type { Fleet } from '../instances/fleet.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import type { Log } from '../observe/log.ts';
import type { Call } from './call.ts';

/** What a running server works with. A call takes the snapshot once, at its start. */
export interface Gateway {
  snapshot: Snapshot;
  readonly fleet: Fleet;
  readonly log: Log;
  /** Those that are running now. */
  readonly calls: Set<Call>;
  /** Opens `/admin`, in this run. */
  readonly adminToken: string;
  /** Set while the server drains: no new calls. */
  draining: boolean;
}
