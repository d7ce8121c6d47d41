import { Argument, type Command } from '@commander-js/extra-typings';
import { names, positive, rate, whole } from './arguments.ts';
import { namesOnly } from './command-group.ts';
import { examples } from './examples.ts';
import { withServer } from './server-options.ts';

const AS_IT_IS = 'print the instance as the server has it then';

/** Orders of the moment: what they do, and what their example is. */
const ORDERS = {
  drain: 'give it no new calls; those that run go on, until `undrain`',
  undrain: 'give it calls again',
  enable: 'use it, whatever the config says',
  disable: 'do not use it, nor look at it, until `enable`',
} as const;

/** Declares `instances` and what is below it. */
export function declareInstances(program: Command): void {
  const instances = program
    .command('instances')
    .description('list the instances, give them orders, or change them in the config')
    .addHelpText(
      'after',
      examples('instances', 'instances drain gpu-1 --wait', 'instances weight gpu-1 3'),
    );

  const list = withServer(
    instances
      .command('list', { isDefault: true })
      .description('list them, in the order of the config')
      .option('--json', 'print the server’s answer as it is'),
  );
  namesOnly(instances, list);
  list
    .addHelpText('after', examples('instances', 'instances list --json'))
    .action(async (options) => {
      const { listInstances } = await import('./instances.ts');
      await listInstances(options);
    });

  for (const order of Object.keys(ORDERS) as (keyof typeof ORDERS)[]) {
    const command = instances
      .command(order)
      .description(`${ORDERS[order]}; for the moment`)
      .argument('<instance>', 'its name')
      .option('--json', AS_IT_IS);
    if (order === 'drain') command.option('--wait', 'come back when its last call is over');
    withServer(command)
      .addHelpText('after', examples(`instances ${order} gpu-1`))
      .action(async (name, options) => {
        const { orderInstance } = await import('./instances.ts');
        await orderInstance(name, order, options);
      });
  }

  withServer(
    instances
      .command('weight')
      .description('give it another share of the work; written into the config')
      .argument('<instance>', 'its name')
      .argument('<number>', 'above 0; relative to the others', rate)
      .option('--json', AS_IT_IS),
  )
    .addHelpText('after', examples('instances weight gpu-1 3'))
    .action(async (name, weight, options) => {
      const { weighInstance } = await import('./instances.ts');
      await weighInstance(name, weight, options);
    });

  withServer(
    instances
      .command('breaker')
      .description('hold its circuit breaker open or closed, or let it go again; for the moment')
      .argument('<instance>', 'its name')
      .addArgument(
        new Argument('<action>', 'what to do').choices(['open', 'close', 'reset'] as const),
      )
      .option('--json', AS_IT_IS),
  )
    .addHelpText('after', examples('instances breaker gpu-1 open', 'instances breaker gpu-1 reset'))
    .action(async (name, action, options) => {
      const { orderBreaker } = await import('./instances.ts');
      await orderBreaker(name, action, options);
    });

  withServer(
    instances
      .command('add')
      .description('put another one into the config')
      .argument('<name>', 'what it is to be called')
      .requiredOption('--adapter <kind>', 'what kind of backend it is: ollama, vllm, openai, …')
      .option('--base-url <address>', 'its address; some adapters have one of their own')
      .option('--api-key <key>', "the key it wants; better as '${VARIABLE}'")
      .option('--models <names>', 'the models it serves, with commas between; * for any run', names)
      .option('--weight <number>', 'its share of the work', rate)
      .option('--priority <number>', 'its tier: lower first', whole)
      .option('--max-concurrency <number>', 'attempts on it at one time', positive)
      .option('--json', AS_IT_IS),
  )
    .addHelpText(
      'after',
      examples(
        'instances add gpu-2 --adapter vllm --base-url http://10.0.0.6:8000 --weight 2',
        "instances add groq --adapter groq --api-key '${GROQ_API_KEY}' --priority 9",
      ),
    )
    .action(async (name, options) => {
      const { addInstance } = await import('./instances.ts');
      await addInstance(name, options);
    });

  withServer(
    instances
      .command('remove')
      .description('take it out of the config; calls that run on it go on')
      .argument('<instance>', 'its name')
      .option('--json', 'print what came of it'),
  )
    .addHelpText('after', examples('instances remove gpu-2'))
    .action(async (name, options) => {
      const { removeInstance } = await import('./instances.ts');
      await removeInstance(name, options);
    });
}
