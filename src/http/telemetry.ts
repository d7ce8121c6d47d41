import { isDeepStrictEqual } from 'node:util';
import type { TraceSettings } from '../config/settings.ts';
import type { Traces } from '../observe/traces.ts';
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
  if (isDeepStrictEqual(observe.traces?.settings, wanted)) return;
  const opened = wanted && (await open(gateway, wanted));
  // Another reload may have come meanwhile.
  if (gateway.snapshot.config.telemetry.traces !== wanted) {
    await opened?.close();
    return;
  }
  const before = observe.traces;
  observe.traces = opened;
  await before?.close();
}

async function open(gateway: Gateway, settings: TraceSettings): Promise<Traces> {
  const { openTraces } = await import('../observe/traces.ts');
  return openTraces(settings, {
    version: VERSION,
    scheme: () => (gateway.url.startsWith('https:') ? 'https' : 'http'),
    onFailure: (reason) =>
      gateway.observe.news({
        kind: 'server',
        level: 'warn',
        message: `traces could not be delivered: ${reason}`,
      }),
  });
}
