import { Agent } from 'undici';
import { onTestFinished } from 'vitest';
import type { Backend } from '../../src/adapters/adapter.ts';
import { connectBackend, type BackendOptions } from '../../src/instances/backend.ts';

/** A backend as a probe sees it, over connections of its own that end with the test. */
export function backendAt(baseUrl: string, options: Partial<BackendOptions> = {}): Backend {
  const dispatcher = new Agent();
  onTestFinished(() => dispatcher.destroy());
  return connectBackend({ baseUrl, headers: {}, timeout: 5000, dispatcher, ...options });
}
