import { isDeepStrictEqual } from 'node:util';
import { VERSION } from '../version.ts';
import type { Gateway } from './gateway.ts';

/**
 * Opens, changes or ends traces, as the config that is applied now wants it. OpenTelemetry is
 * loaded only when they are on.
 * @throws MissingPackages
 */
export async function applyTelemetry(gateway: Gateway): Promise<void> {
  const { observe } = gateway;
  const wanted = gateway.snapshot.config.telemetry.traces;
  const before = observe.traces;
  if (isDeepStrictEqual(before?.settings, wanted)) return;
  observe.traces = undefined;
  void before?.close();
  if (!wanted) return;
  const { openTraces } = await import('../observe/traces.ts');
  const opened = await openTraces(wanted, {
    version: VERSION,
    onFailure: (reason) =>
      observe.news({
        kind: 'server',
        level: 'warn',
        message: `traces could not be delivered: ${reason}`,
      }),
  });
  // Another reload may have come meanwhile.
  const stillWanted = gateway.snapshot.config.telemetry.traces === wanted;
  if (stillWanted) observe.traces = opened;
  else void opened.close();
}
