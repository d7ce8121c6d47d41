import type { Outcome } from '../observe/outcome.ts';
import { hideSecrets, secretsOf } from '../observe/secrets.ts';
import type { Call } from './call.ts';
import type { Gateway } from './gateway.ts';

/** Has a captured call written into a file, where the config of its time wants that. */
export function recordCall({ recorder, snapshot }: Gateway, call: Call, outcome: Outcome): void {
  const { capture, request } = call;
  if (capture?.settings.dir === undefined) return;
  const secrets = secretsOf(snapshot.config);
  recorder.take(
    { outcome, method: request.method ?? '', path: request.url ?? '', tape: capture.tape() },
    capture.settings.dir,
    (text) => hideSecrets(text, secrets),
  );
  capture.trim();
}
