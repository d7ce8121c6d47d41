import type { PaneName } from '../layout.ts';
import { callsPane } from './calls.ts';
import { eventsPane } from './events.ts';
import { instancesPane } from './instances.ts';
import { modelsPane } from './models.ts';
import type { Pane } from './pane.ts';
import { streamsPane } from './streams.ts';

/** What each pane shows. */
export const PANE_KINDS = {
  instances: instancesPane,
  streams: streamsPane,
  calls: callsPane,
  events: eventsPane,
  models: modelsPane,
} as const satisfies Record<PaneName, Pane>;
