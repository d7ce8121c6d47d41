import type { Command, CommandUnknownOpts } from '@commander-js/extra-typings';
import { nearest } from '../config/suggest.ts';

/** What a group of commands does when none of them is named. */
const USUAL = new WeakMap<CommandUnknownOpts, CommandUnknownOpts>();

/**
 * Sees to it that a name which is none of a group's commands is called that: commander would hand it
 * to the group's default command, as an argument too many.
 */
export function namesOnly(group: Command, usual: CommandUnknownOpts): void {
  USUAL.set(group, usual);
  group.hook('preSubcommand', () => {
    const [name] = group.args;
    const known = group.commands.map((one) => one.name());
    if (name === undefined || name.startsWith('-') || known.includes(name)) return;
    const meant = nearest(name, known);
    const hint = meant === undefined ? '' : ` (Did you mean ${meant}?)`;
    group.error(`error: unknown command '${group.name()} ${name}'${hint}`);
  });
}

/** @returns The command that is meant by the name of a group alone. */
export function usualOf(group: CommandUnknownOpts): CommandUnknownOpts | undefined {
  return USUAL.get(group);
}
