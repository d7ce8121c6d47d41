import { Option, type Command } from '@commander-js/extra-typings';
import { examples } from './examples.ts';

/** Declares the commands that make configs and check them; they need no server. */
export function declareConfigs(program: Command): void {
  program
    .command('init')
    .description('write a config of the backends and API keys that are found')
    .option('-y, --yes', 'ask nothing: include all that is found')
    .addOption(
      new Option('--format <format>', 'the kind of file')
        .choices(['yaml', 'json', 'ts'] as const)
        .default('yaml' as const),
    )
    .option('--from <file>', 'make it of a JAiRouter or LiteLLM config, as `import` does')
    .option('--force', 'write over a config that is there already')
    .addHelpText(
      'after',
      examples('init', 'init --yes', 'init --format ts --force', 'init --from litellm/config.yaml'),
    )
    .action(async ({ from, ...options }) => {
      if (from !== undefined) {
        const { importFile } = await import('./import.ts');
        return importFile(from, { format: options.format, force: options.force });
      }
      const { init } = await import('./init.ts');
      return init(options);
    });

  program
    .command('import')
    .description('make a config of another gateway’s: JAiRouter’s YAML or LiteLLM’s config.yaml')
    .argument('<file>', 'the config to read; -: standard input')
    .addOption(
      new Option('--format <format>', 'the kind of file (default: yaml)').choices([
        'yaml',
        'json',
        'ts',
      ] as const),
    )
    .option('-o, --output <file>', 'where to write it (default: jairouter.config.*); -: to stdout')
    .option('--force', 'write over a file that is there already')
    .option('--json', 'say what was carried over as JSON')
    .addHelpText(
      'after',
      examples(
        'import application.yml',
        'import litellm/config.yaml -o jairouter.config.ts',
        'import config.yaml -o - > team.yaml',
      ),
    )
    .action(async (file, options) => {
      const { importFile } = await import('./import.ts');
      await importFile(file, options);
    });

  program
    .command('check')
    .description('say whether the config is valid, and its instances are there with their models')
    .option('-c, --config <file>', 'the config (default: jairouter.config.* from here upward)')
    .option('--json', 'say it as JSON')
    .addHelpText(
      'after',
      `${examples('check', 'check -c team.yaml', 'check --json')}

It ends with 0 when all is well, with 1 when something is not, and with 2 when the config is invalid.`,
    )
    .action(async (options) => {
      const { check } = await import('./check.ts');
      await check(options);
    });
}
