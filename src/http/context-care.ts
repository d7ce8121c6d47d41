import { asNumber, asObject } from '../adapters/json.ts';
import type { Target } from '../gateway/directory.ts';
import { estimateTokens } from '../gateway/protect/token-estimate.ts';
import type { Instance } from '../instances/instance.ts';
import { serviceOf, speaksLines, type Operation } from '../service.ts';
import type { Call, ClientRequest } from './call.ts';
import type { Gateway } from './gateway.ts';
import { AnswerNotes } from './notes.ts';

/** No context that Ollama loads a model with is smaller, in tokens. */
const SMALLEST = 2048;

/** What is to be told beside an attempt's answer; nothing for nearly all instances: it costs nothing then. */
export function notesOn(
  target: Target<Instance>,
  gateway: Gateway,
  call: Call,
  client: ClientRequest,
): AnswerNotes | undefined {
  const { adapter, settings } = target.instance;
  if (serviceOf(call.operation) !== 'chat') return undefined;
  if (adapter.context) {
    const operation = target.instance.asked(call.operation) ?? call.operation;
    return watchContext(target, { client, operation }, gateway);
  }
  return settings.repairToolCalls ? new AnswerNotes() : undefined;
}

/**
 * Watches for prompts that a backend cuts to its context without a word (Ollama drops the oldest
 * messages): the client is told in a header, the news once for each model.
 * @param operation What the backend is asked for: Ollama's own API hears which context is wanted.
 */
function watchContext(
  { instance, model }: Target<Instance>,
  { client, operation }: { readonly client: ClientRequest; readonly operation: Operation },
  gateway: Gateway,
): AnswerNotes {
  const notes = new AnswerNotes();
  const tell = (text: string, why: 'cut' | 'ignored'): void => {
    notes.add('x-jairouter-warning', text);
    if (!instance.warnOnce(`${why} ${model}`)) return;
    const message = `instance ${instance.name}: ${text}`;
    gateway.observe.news({ kind: 'instance', level: 'warn', instance: instance.name, message });
  };
  const numCtx = instance.settings.options.ollama?.numCtx;
  const advice = `set instances.${instance.name}.ollama.numCtx${numCtx === undefined ? '' : ' to more'}`;
  const wanted = contextWanted(client);
  const hears = speaksLines(operation);
  if (wanted !== undefined && !hears) {
    tell(`num_ctx is not heard on this route of Ollama; ${advice} instead`, 'ignored');
  }
  const told = hears ? (wanted ?? numCtx) : undefined;
  // With `auto`, the context is chosen for this very prompt.
  const known = told === 'auto' ? undefined : (told ?? instance.facts.contexts?.get(model));
  const prompt = promptTokens(client);
  if (known !== undefined && prompt > known) {
    tell(
      `the prompt has about ${prompt} tokens, and ${model} is loaded with a context of ${known}, so its oldest messages are dropped; ${advice}`,
      'cut',
    );
  }
  notes.judge = (usage) => {
    const total = usage.input + usage.output;
    if (total < SMALLEST) return;
    const judge = (context: number | undefined): void => {
      if (context === undefined || total < context) return;
      tell(
        `prompt and answer have filled the context of ${context} tokens that ${model} is loaded with, and what did not fit was dropped; ${advice}`,
        'cut',
      );
    };
    // A model that this very call has loaded is not known yet; the log still gets to know it.
    if (known === undefined) void lookAt(instance, model).then(judge);
    else judge(known);
  };
  return notes;
}

async function lookAt(instance: Instance, model: string): Promise<number | undefined> {
  try {
    return await instance.adapter.context!(instance.backend, model);
  } catch {
    // Whoever can't be asked now is asked with the next call.
    return undefined;
  }
}

/** Where clients of Ollama's own API say it. */
function contextWanted({ fields }: ClientRequest): number | undefined {
  return asNumber(fields['num_ctx']) ?? asNumber(asObject(fields['options'])?.['num_ctx']);
}

/** About; without what may be written. */
function promptTokens({ fields }: ClientRequest): number {
  const { messages, prompt, tools, input, system, instructions } = fields;
  return estimateTokens({ messages, prompt, tools, input, system, instructions });
}
