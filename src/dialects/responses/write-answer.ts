import type { JsonObject } from '../../adapters/json.ts';
import type { WholeAnswer } from '../answer.ts';
import type { AnswerContext } from '../dialect.ts';
import {
  ITEM_IDS,
  messageItem,
  outputText,
  reasoningItem,
  refusal,
  toolItem,
  toolNamed,
  wishesOf,
  type ItemStatus,
  type Wishes,
} from './items.ts';
import { responseObject, statusAfter } from './response.ts';

/** Writes an answer as OpenAI's Response. */
export function writeAnswer(answer: WholeAnswer, context: AnswerContext): JsonObject {
  const wishes = wishesOf(context);
  const refused = answer.blocks.some(({ type }) => type === 'refusal');
  const status = statusAfter(answer.stop, refused);
  return responseObject(
    {
      id: context.id ?? context.mint('resp_'),
      model: answer.model ?? context.model,
      status,
      output: outputOf(answer, { context, wishes }),
      usage: answer.usage,
      stop: answer.stop,
    },
    context,
  );
}

function outputOf(
  { blocks, stop }: WholeAnswer,
  { context, wishes }: { readonly context: AnswerContext; readonly wishes: Wishes },
): readonly JsonObject[] {
  const output: JsonObject[] = [];
  let parts: JsonObject[] | undefined;
  for (const [index, block] of blocks.entries()) {
    const cut = index === blocks.length - 1 && (stop === 'length' || stop === 'context');
    const status: ItemStatus = cut ? 'incomplete' : 'completed';
    if (block.type === 'text' || block.type === 'refusal') {
      const part =
        block.type === 'text' ? outputText(block.text, block.logprobs) : refusal(block.text);
      if (parts) parts.push(part);
      else {
        parts = [part];
        output.push(messageItem(context.mint(ITEM_IDS.message), status, parts));
      }
      continue;
    }
    parts = undefined;
    if (block.type === 'reasoning') {
      output.push(reasoningItem(context.mint(ITEM_IDS.reasoning), block, wishes));
    } else {
      const tool = toolNamed(block.name, wishes);
      const id = context.mint(ITEM_IDS[tool.kind]);
      output.push(toolItem(id, status, { tool, callId: block.id, json: block.arguments }));
    }
  }
  return output;
}
