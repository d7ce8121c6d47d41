import type { OfferedModel } from './tool.ts';

/** @returns The models that chat, those first that suit a coding agent. */
export function rankModels(models: readonly OfferedModel[]): OfferedModel[] {
  return models
    .filter(chats)
    .map((model, index) => ({ model, index, score: scoreOf(model) }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ model }) => model);
}

/** Names of what is no chat model, for servers that don't tell what their models do. */
const OTHER =
  /embed|rerank|whisper|transcri|\b(tts|stt|bge|e5)\b|speech|dall-e|image|diffusion|flux|moderation/i;

/** A model of which nobody knows what it does is listed with all that its server can do. */
function chats({ id, services }: OfferedModel): boolean {
  if (services && !services.includes('chat')) return false;
  return services?.length === 1 || !OTHER.test(id);
}

/** Made for code, or known to call tools well. */
const FOR_CODE = /cod(e|er|ex|estral)|devstral/i;
const CAPABLE =
  /claude|gpt-(4|5|6|oss)|qwen-?3|glm-?[45]|kimi|deepseek|mistral-(large|medium)|gemini/i;
/** Of few billions of parameters: those get lost in long tasks. */
const SMALL = /(?<![\d.])[0-3](\.\d+)?b\b|mini|nano|tiny|small|haiku|flash|lite/i;
/** An agent's instructions and files hardly fit into less, in tokens. */
const ROOMY = 32_768;

/** What is named by the user is meant to be used; the rest is what its name and size suggest. */
function scoreOf({ id, alias, contextLength, loaded }: OfferedModel): number {
  return (
    (alias ? 10 : 0) +
    (FOR_CODE.test(id) ? 6 : 0) +
    (CAPABLE.test(id) ? 3 : 0) -
    (SMALL.test(id) ? 4 : 0) +
    (contextLength === undefined ? 0 : contextLength >= ROOMY ? 2 : -6) +
    (loaded ? 1 : 0)
  );
}
