import type { Argument, Command, Option } from '@commander-js/extra-typings';
import { usualOf } from './command-group.ts';
import { instanceStates, offeredModels } from './offered-models.ts';
import { readStates, stateFolder, type ServerState } from './state-file.ts';

/** One thing that may stand where the cursor is. */
interface Possibility {
  readonly value: string;
  readonly description?: string;
}

/** What is looked up for an argument or an option's value, by its name. */
export interface Lookups {
  models(): Promise<readonly string[]>;
  instances(): Promise<readonly string[]>;
  adapters(): Promise<readonly string[]>;
  /** Of the config's history. */
  versions(): Promise<readonly string[]>;
}

/** The shell completes paths by itself where this line stands. */
const FILES = ':files';

/**
 * The hidden command `__complete`: prints what may stand where the cursor is, a line each, as
 * `value⇥description`. It never fails: an error in the middle of a line would be worse than nothing.
 *
 * @param words What stands behind `jairouter` up to the cursor; the last one is being written.
 */
export async function complete(program: Command, words: readonly string[]): Promise<void> {
  try {
    const lines = await completionsFor(program, words, liveLookups());
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  } catch {
    // Nothing is offered then.
  }
}

/** @returns The lines to print. */
export async function completionsFor(
  program: Command,
  words: readonly string[],
  lookups: Lookups,
): Promise<string[]> {
  const partial = words.at(-1) ?? '';
  const { command, operands, pending } = walk(program, words.slice(0, -1));
  const [, option, start] = /^(--[\w-]+)=(.*)$/.exec(partial) ?? [];
  if (option !== undefined) {
    const of = command.options.find(({ long }) => long === option);
    const values = of ? await valuesOf(of.argChoices, nameOf(of), lookups) : [];
    return matching(values, start!).map((value) =>
      value === FILES ? value : `${option}=${value}`,
    );
  }
  if (pending)
    return matching(await valuesOf(pending.argChoices, nameOf(pending), lookups), partial);
  if (partial.startsWith('-')) return matching(optionsOf(command), partial);
  const argument = argumentAt(command, operands);
  const values = argument ? await valuesOf(argument.argChoices, argument.name(), lookups) : [];
  return matching([...(operands === 0 ? subcommandsOf(command) : []), ...values], partial);
}

interface Place {
  readonly command: Command;
  /** Arguments of it that stand there already. */
  readonly operands: number;
  /** An option whose value is what comes next. */
  readonly pending: Option | undefined;
}

/** Follows the words to the command that they are for. */
function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let operands = 0;
  let pending: Option | undefined;
  for (const word of words) {
    if (pending) {
      pending = undefined;
    } else if (word.startsWith('-')) {
      const option = command.options.find(({ long, short }) => long === word || short === word);
      // An optional value may be left out, and then the next word is none.
      pending = option?.required ? option : undefined;
    } else {
      const next = operands === 0 ? childOf(command, word) : undefined;
      if (next) command = next;
      else operands++;
    }
  }
  return { command, operands, pending };
}

function childOf(command: Command, name: string): Command | undefined {
  return (command.commands as Command[]).find((each) => each.name() === name);
}

function subcommandsOf(command: Command): Possibility[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), description: each.description() }));
}

function optionsOf(command: Command): Possibility[] {
  const usual = usualOf(command);
  return [command, ...(usual ? [usual as Command] : [])]
    .flatMap((each) => each.createHelp().visibleOptions(each))
    .filter(({ long }, position, all) => all.findIndex((one) => one.long === long) === position)
    .flatMap(({ long, description }) => (long ? [{ value: long, description }] : []));
}

function argumentAt({ registeredArguments }: Command, position: number): Argument | undefined {
  const last = registeredArguments.at(-1);
  return registeredArguments[position] ?? (last?.variadic ? last : undefined);
}

/** @returns What stands between the brackets: `--config <file>` is about a `file`. */
function nameOf({ flags }: Option): string {
  return /[<[]([\w-]+)/.exec(flags)?.[1] ?? '';
}

async function valuesOf(
  choices: readonly string[] | undefined,
  name: string,
  lookups: Lookups,
): Promise<readonly string[]> {
  if (choices) return choices;
  switch (name) {
    case 'model':
      return lookups.models();
    case 'instance':
      return lookups.instances();
    case 'target':
      return [...(await lookups.instances()), ...(await lookups.models())];
    case 'kind':
      return lookups.adapters();
    case 'version':
    case 'from':
    case 'to':
      return lookups.versions();
    case 'file':
    case 'dir':
    case 'folder':
      return [FILES];
    default:
      return [];
  }
}

/** What the running server knows; nothing when there is none. */
function liveLookups(): Lookups {
  const ask = async (
    of: (state: ServerState) => Promise<readonly string[]>,
  ): Promise<readonly string[]> => {
    const [state] = await readStates(stateFolder(process.env));
    return state ? of(state) : [];
  };
  return {
    models: () =>
      ask(async ({ url }) => (await offeredModels(url, { own: true })).map(({ id }) => id)),
    instances: () => ask(async ({ url }) => Object.keys(await instanceStates(url, true))),
    adapters: async () => Object.keys((await import('../adapters/index.ts')).ADAPTERS),
    versions: () =>
      ask(async ({ url, token }) => {
        const { connectAdmin } = await import('./admin-client.ts');
        const history = await connectAdmin({ url, token, own: true }).get<
          readonly { readonly version: number }[]
        >('/admin/config/history');
        return history.map(({ version }) => String(version));
      }),
  };
}

function matching(all: readonly (string | Possibility)[], partial: string): string[] {
  return all
    .map((each): Possibility => (typeof each === 'string' ? { value: each } : each))
    .filter(({ value }) => value === FILES || value.startsWith(partial))
    .map(({ value, description }) => (description ? `${value}\t${description}` : value));
}
