import type { Command } from '@commander-js/extra-typings';
import { positive } from './arguments.ts';
import { namesOnly } from './command-group.ts';
import { examples } from './examples.ts';
import { withServer } from './server-options.ts';

const AS_IT_IS = 'print the server’s answer as it is';

/** Declares `config` and what is below it. */
export function declareConfig(program: Command): void {
  const config = program
    .command('config')
    .description('show the running server’s config, its history, and go back in it')
    .addHelpText('after', examples('config show', 'config history', 'config rollback 3'));

  const show = withServer(
    config
      .command('show', { isDefault: true })
      .description('print the config file, with *** where secrets stand')
      .option('--effective', 'what is applied of it as JSON, with defaults filled in')
      .option('--json', AS_IT_IS),
  );
  namesOnly(config, show);
  show
    .addHelpText('after', examples('config show', 'config show --effective'))
    .action(async (options) => {
      const { showConfig } = await import('./config.ts');
      await showConfig(options);
    });

  withServer(
    config
      .command('history')
      .description('list the configs that were applied; the last 50 are kept')
      .option('--json', AS_IT_IS),
  )
    .addHelpText('after', examples('config history', 'config history --json'))
    .action(async (options) => {
      const { showHistory } = await import('./config.ts');
      await showHistory(options);
    });

  withServer(
    config
      .command('diff')
      .description('show what the last change was, or what differs between two versions')
      .argument('[from]', 'a version of the history (default: the one before the other)', positive)
      .argument('[to]', 'another one (default: the one that is applied)', positive)
      .option('--json', 'print the lines with what each is'),
  )
    .addHelpText('after', examples('config diff', 'config diff 3', 'config diff 3 5'))
    .action(async (from, to, options) => {
      const { diffVersions } = await import('./config.ts');
      await diffVersions({ from, to }, options);
    });

  withServer(
    config
      .command('rollback')
      .description('make an earlier config the newest version')
      .argument('<version>', 'a version of the history', positive)
      .option('--json', AS_IT_IS),
  )
    .addHelpText('after', examples('config rollback 3'))
    .action(async (version, options) => {
      const { rollback } = await import('./config.ts');
      await rollback(version, options);
    });

  withServer(
    config
      .command('reload')
      .description('have the server read its config again')
      .option('--json', AS_IT_IS),
  )
    .addHelpText('after', examples('config reload'))
    .action(async (options) => {
      const { reload } = await import('./config.ts');
      await reload(options);
    });

  config
    .command('validate')
    .description('say whether a config is valid; needs no server, and asks no backend')
    .argument('[file]', 'the config (default: jairouter.config.* from here upward)')
    .option('--json', 'print the verdict with each mistake and its place')
    .addHelpText('after', examples('config validate', 'config validate team.yaml --json'))
    .action(async (file, options) => {
      const { validate } = await import('./config.ts');
      await validate(file, options);
    });
}
