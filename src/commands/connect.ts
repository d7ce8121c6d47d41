import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EditError } from '../config/edit/edit-error.ts';
import { undoWrite, writeWithBackup } from '../connect/backup.ts';
import { editConfig, readConfig, Unchangeable } from '../connect/edit.ts';
import type { Change, Endpoint, Surroundings, Tool } from '../connect/tool.ts';
import type { ToolName } from '../connect/tool-names.ts';
import { TOOLS } from '../connect/tools.ts';
import { endpointFor, type EndpointOptions } from './connect-endpoint.ts';
import { printed, tilde, toolList, written } from './connect-report.ts';
import { print } from './output.ts';
import { stateFolder } from './state-file.ts';
import { UserError } from './user-error.ts';

export interface ConnectOptions extends EndpointOptions {
  readonly write?: boolean;
  readonly undo?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What a tool's config is, and what it is to become. */
export interface Plan {
  readonly file: string;
  readonly changes: readonly Change[];
  /** What stands there now; absent: there is no such file. */
  readonly before: string | undefined;
  readonly after: string;
}

/** The command `connect`: tells what a tool has to be set to, sets it, or takes that back. */
export async function connect(name: ToolName | undefined, options: ConnectOptions): Promise<void> {
  if (name === undefined) {
    print(toolList(TOOLS, options.json === true));
    return;
  }
  const tool: Tool = TOOLS[name];
  if (options.undo) return undo(name, tool, options);
  const found = await endpointFor(options);
  const plan = tool.config ? await planOf(tool, found.endpoint) : undefined;
  if (!options.write) {
    print(printed({ name, tool, found, plan, json: options.json === true }));
    return;
  }
  if (!plan)
    throw new UserError(
      `${tool.title} has no config file that could be written; leave --write out`,
      2,
    );
  const backup = plan.after === plan.before ? undefined : await write(name, plan);
  print(written({ name, tool, found, plan, backup, json: options.json === true }));
}

/** @throws UserError when the file system does not let us. */
async function write(name: ToolName, { file, after }: Plan): Promise<string | undefined> {
  try {
    return await writeWithBackup(memories(), name, { file, text: after });
  } catch (error) {
    if (error instanceof EditError) throw new UserError(error.message);
    throw failureAt(file, error);
  }
}

/** What the file system has against it, in one line. */
function failureAt(file: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? error : new UserError(`${tilde(file)}: ${message}`);
}

/** Where it is remembered what was written. */
function memories(): string {
  return join(stateFolder(process.env), 'connect');
}

/** @throws UserError when its config can't be changed. */
async function planOf({ title, config }: Tool, endpoint: Endpoint): Promise<Plan> {
  const around = surroundings();
  const { format, changes: changesFor, file: fileOf, refusal } = config!;
  const why = refusal?.(around);
  if (why !== undefined) throw new UserError(`${title}: ${why}`);
  const file = fileOf(around);
  try {
    // Without the byte order mark, which stays with the file.
    const before = existsSync(file)
      ? (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')
      : undefined;
    const present = readConfig(format, before ?? '');
    const changes = changesFor(endpoint, present);
    return { file, changes, before, after: editConfig(format, before ?? '', changes) };
  } catch (error) {
    if (!(error instanceof Unchangeable)) throw failureAt(file, error);
    throw new UserError(`${tilde(file)} can't be changed: ${error.message}`);
  }
}

function surroundings(): Surroundings {
  const { env, platform } = process;
  return { home: env['HOME'] || homedir(), env, platform, exists: existsSync };
}

async function undo(name: ToolName, tool: Tool, { force, json }: ConnectOptions): Promise<void> {
  const { what, file } = await undoWrite(memories(), name, force === true);
  if (what === 'nothing')
    throw new UserError(`connect has written nothing for ${tool.title}: there is nothing to undo`);
  const shown = tilde(file!);
  if (what === 'changed') {
    throw new UserError(
      `${shown} was changed since connect wrote it; --undo --force brings back the old one, without those changes`,
    );
  }
  if (json) print([JSON.stringify({ tool: name, file, undone: what }, null, 2)]);
  else print([`✓ ${shown} is ${what === 'restored' ? '' : 'gone, '}as it was before.`]);
}
