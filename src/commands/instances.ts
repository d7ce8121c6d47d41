import type { InstanceDetail, InstanceStatus } from '../observe/status.ts';
import type { AdminClient } from './admin-client.ts';
import { findServer, type ServerOptions } from './find-server.ts';
import { print, printJson } from './output.ts';
import { instanceLines } from './status-text.ts';
import { paintFor } from './terminal.ts';

export interface InstancesOptions extends ServerOptions {
  readonly json?: boolean;
}

/** The command `instances list`. */
export async function listInstances(options: InstancesOptions): Promise<void> {
  const server = await findServer(options);
  const instances = await server.get<readonly InstanceStatus[]>('/admin/instances');
  if (options.json) printJson(instances);
  else show(instances);
}

/** The command `instances breaker`. */
export async function orderBreaker(
  name: string,
  action: 'open' | 'close' | 'reset',
  options: InstancesOptions,
): Promise<void> {
  await change(options, (server) =>
    server.send('POST', `/admin/instances/${encodeURIComponent(name)}/breaker`, { action }),
  );
}

/** Changes an instance, and shows how it is now. */
async function change(
  options: InstancesOptions,
  order: (server: AdminClient) => Promise<InstanceDetail>,
): Promise<void> {
  const server = await findServer(options);
  const instance = await order(server);
  if (options.json) printJson(instance);
  else show([instance]);
}

function show(instances: readonly InstanceStatus[]): void {
  const { stdout, env } = process;
  const look = { paint: paintFor(stdout, env), width: stdout.columns };
  print(instanceLines(instances, Date.now(), look));
}
