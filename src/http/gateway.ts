import type { LiveConfig } from '../config/live.ts';
import { compile, type Snapshot } from '../gateway/snapshot.ts';
import { Fleet } from '../instances/fleet.ts';
import { breakerNews, stateNews } from '../observe/instance-news.ts';
import type { Log } from '../observe/log.ts';
import { Observatory } from '../observe/observatory.ts';
import { Recorder } from '../recording/recorder.ts';
import type { Call } from './call.ts';
import type { Replay } from './replay.ts';
import { ResponseStore } from './response-store.ts';

/** What a running server works with. A call takes the snapshot once, at its start. */
export interface Gateway {
  snapshot: Snapshot;
  readonly fleet: Fleet;
  /** Where each snapshot comes from, and what can be changed in it. */
  readonly live: LiveConfig;
  readonly log: Log;
  /** The records of calls, and what happens. */
  readonly observe: Observatory;
  /** Writes calls into files. */
  readonly recorder: Recorder;
  /** What answers in the place of backends; absent: they do. */
  readonly replay: Replay | undefined;
  /** Those that are running now. */
  readonly calls: Set<Call>;
  /** What clients may come back for. */
  readonly responses: ResponseStore;
  /** Opens `/admin`, in this run. */
  readonly adminToken: string;
  /** Set while the server drains: no new calls. */
  draining: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Where it listens; set when it does. */
  url: string;
}

interface GatewayOptions {
  readonly live: LiveConfig;
  readonly log: Log;
  readonly adminToken: string;
  readonly replay?: Replay | undefined;
  /** Whether changes of an instance's state go into the log, or are told otherwise for now. */
  readonly logsStates?: () => boolean;
}

/** Puts together what a server works with, for the config that is live; `fleet.apply` gives it its instances. */
export function openGateway(options: GatewayOptions): Gateway {
  const { live, log, adminToken, replay, logsStates = () => true } = options;
  const observe = new Observatory(log);
  const fleet = new Fleet({
    onMembers: (names) => observe.statistics.keep(names),
    onState: (instance) => observe.news(stateNews(instance), { logged: logsStates() }),
    onBreaker(instance, transition) {
      observe.statistics.breakerChanged(instance.name, transition.to);
      observe.news(breakerNews(instance, transition));
    },
    onNews: ({ name }, message) =>
      observe.news({ kind: 'instance', level: 'info', instance: name, message }),
  });
  return {
    snapshot: compile(live.served.config),
    fleet,
    live,
    log,
    observe,
    recorder: new Recorder({
      onNews: (level, message) => observe.news({ kind: 'server', level, message }),
    }),
    replay,
    calls: new Set(),
    responses: new ResponseStore(),
    adminToken,
    draining: false,
    startedAt: Date.now(),
    url: '',
  };
}
