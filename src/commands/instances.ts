import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceDetail, InstanceStatus } from '../observe/status.ts';
import type { AdminClient } from './admin-client.ts';
import { findServer, type ServerOptions } from './find-server.ts';
import { print, printJson, printText } from './output.ts';
import { instanceLines } from './status-text.ts';
import { columnsOf, paintFor } from './terminal.ts';

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

/** What the commands of the moment ask for. */
const ORDERS = {
  drain: { draining: true },
  undrain: { draining: false },
  enable: { enabled: true },
  disable: { enabled: false },
} as const;

/** Milliseconds between two looks at an instance that drains. */
const LOOK = 500;

/** The commands `instances drain`, `undrain`, `enable` and `disable`. */
export async function orderInstance(
  name: string,
  order: keyof typeof ORDERS,
  options: InstancesOptions & { readonly wait?: boolean },
): Promise<void> {
  const server = await findServer(options);
  let instance = await server.send<InstanceDetail>('PATCH', pathOf(name), ORDERS[order]);
  while (options.wait && instance.inFlight > 0) {
    await sleep(LOOK);
    instance = await server.get<InstanceDetail>(pathOf(name));
  }
  tell(instance, options);
}

/** The command `instances weight`. */
export function weighInstance(
  name: string,
  weight: number,
  options: InstancesOptions,
): Promise<void> {
  return change(options, (server) => server.send('PATCH', pathOf(name), { weight }));
}

/** The command `instances breaker`. */
export function orderBreaker(
  name: string,
  action: 'open' | 'close' | 'reset',
  options: InstancesOptions,
): Promise<void> {
  return change(options, (server) => server.send('POST', `${pathOf(name)}/breaker`, { action }));
}

export interface NewInstanceOptions extends InstancesOptions {
  readonly adapter: string;
  readonly baseUrl?: string;
  readonly apiKey?: string;
  readonly models?: readonly string[];
  readonly weight?: number;
  readonly priority?: number;
  readonly maxConcurrency?: number;
}

/** The command `instances add`. */
export function addInstance(name: string, options: NewInstanceOptions): Promise<void> {
  const { adapter, baseUrl, apiKey, models, weight, priority, maxConcurrency } = options;
  const set = { adapter, baseUrl, apiKey, models, weight, priority, maxConcurrency };
  return change(options, (server) => server.send('POST', '/admin/instances', { name, ...set }));
}

/** The command `instances remove`. */
export async function removeInstance(name: string, options: InstancesOptions): Promise<void> {
  const server = await findServer(options);
  const applied = await server.send<{ version: number }>('DELETE', pathOf(name));
  if (options.json) printJson(applied);
  else printText([`${name} is gone, with version ${applied.version} of the config`]);
}

function pathOf(name: string): string {
  return `/admin/instances/${encodeURIComponent(name)}`;
}

/** Changes an instance, and shows how it is then. */
async function change(
  options: InstancesOptions,
  order: (server: AdminClient) => Promise<InstanceDetail>,
): Promise<void> {
  tell(await order(await findServer(options)), options);
}

function tell(instance: InstanceDetail, { json }: InstancesOptions): void {
  if (json) printJson(instance);
  else show([instance]);
}

function show(instances: readonly InstanceStatus[]): void {
  const { stdout, env } = process;
  const look = { paint: paintFor(stdout, env), width: columnsOf(stdout) };
  print(instanceLines(instances, Date.now(), look));
}
