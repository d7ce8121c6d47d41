import type { Backend } from './adapter.ts';
import { entriesOf } from './catalogue.ts';

/** Any server that lists models as OpenAI does, and that no adapter calls its own. */
export const COMPATIBLE = {
  name: 'OpenAI-compatible server',
  /** Where such servers are wont to listen. */
  ports: [8000, 8080, 1234, 30000, 5000, 5001, 1337],
  /** Rejects when the server is out of reach. */
  async recognise(backend: Backend): Promise<boolean> {
    const list = await backend.get('/v1/models');
    return list.status === 200 && entriesOf(list) !== undefined;
  },
} as const;
