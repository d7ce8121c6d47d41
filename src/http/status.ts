import type { ModelTraffic, Status } from '../observe/status.ts';
import { VERSION } from '../version.ts';
import type { Gateway } from './gateway.ts';
import { instanceStatus } from './instance-status.ts';
import { runningCall, tokenFlow, withFlow } from './running.ts';

/** What the server is and does at this moment: `GET /admin/status`. */
export function readStatus(gateway: Gateway): Status {
  const { fleet } = gateway;
  const { statistics } = gateway.observe;
  const at = Date.now();
  const now = performance.now();
  const running = [...gateway.calls].map(runningCall);
  const flow = tokenFlow(running, at);
  const ofModels = new Map<string | undefined, number>();
  for (const { model } of running) ofModels.set(model, (ofModels.get(model) ?? 0) + 1);
  const waiting = fleet.queue.waitingFor();
  return {
    version: VERSION,
    pid: process.pid,
    url: gateway.url,
    startedAt: gateway.startedAt,
    now: at,
    draining: gateway.draining,
    config: gateway.live.status(),
    inFlight: running.length,
    queued: running.filter(({ phase }) => phase === 'queued').length,
    totals: statistics.whole.totals(),
    recent: withFlow(statistics.whole.recent(now), flow.whole),
    instances: [...fleet.instances()].map((instance) =>
      instanceStatus(instance, { gateway, now, flow, waiting }),
    ),
    models: [...statistics.models()]
      .map(([model, { tally }]) => ({
        model,
        inFlight: ofModels.get(model) ?? 0,
        totals: tally.totals(),
        recent: withFlow(tally.recent(now), flow.models.get(model)),
      }))
      .toSorted(busiestFirst),
    running,
  };
}

/** By what they do now; those that do nothing, by what they did. */
function busiestFirst(a: ModelTraffic, b: ModelTraffic): number {
  return lately(b) - lately(a) || b.totals.calls - a.totals.calls;
}

function lately({ recent }: ModelTraffic): number {
  return recent.perSecond.reduce((sum, count) => sum + count, 0);
}
