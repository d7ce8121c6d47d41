import { isLoopback } from './overrides.ts';
import { pathText, type Finding } from './problem.ts';

type Block = Readonly<Record<string, unknown>>;

/** The port that `server.port` has by default, as the schema says. */
const PORT = 4747;

/** @returns A warning for each instance that is where the server itself listens: it would call itself. */
export function ownAddressWarnings(instances: Block, { port = PORT }: Block): Finding[] {
  return Object.entries(instances).flatMap(([name, instance]): Finding[] => {
    const { baseUrl } = (instance ?? {}) as Block;
    if (typeof baseUrl !== 'string' || !URL.canParse(baseUrl)) return [];
    const url = new URL(baseUrl);
    if (!isLoopback(url.hostname) || url.port !== String(port)) return [];
    const path = ['instances', name, 'baseUrl'];
    const message = `\`${pathText(path)}\` is where this server itself listens: it would call itself`;
    return [{ path, at: 'value', message }];
  });
}
