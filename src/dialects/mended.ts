import type { ResponseTransform, ServerEvent } from '../adapters/adapter.ts';
import { asObject, parseJson, type JsonObject } from '../adapters/json.ts';
import { gather } from './answer.ts';
import { chat } from './chat/chat.ts';
import type { AnswerContext, AskedDialect } from './dialect.ts';

/** A dialect whose answers are put right on their way, by what reads chat completions alone. */
export function mended(
  from: AskedDialect,
  mend: ResponseTransform,
  given: AnswerContext,
): AskedDialect {
  const context = { ...given, fields: { stream_options: { include_usage: true } } };
  return {
    ...from,
    eventReader() {
      const read = from.eventReader();
      const writer = chat.eventWriter(context);
      const again = chat.eventReader();
      return (event) =>
        read(event)
          .flatMap((one) => eventsIn(writer.write(one)))
          .flatMap((one) => mend.event?.(one) ?? [one])
          .flatMap((one) => again(one));
    },
    readAnswer(answer) {
      const whole = chat.writeAnswer(gather(from.readAnswer(answer)), context);
      const made = mend.body?.(Buffer.from(JSON.stringify(whole)), 'application/json');
      return chat.readAnswer(made ? jsonOf(made.body) : whole);
    },
  };
}

/** What our own writer has written. */
function eventsIn(text: string): readonly ServerEvent[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => ({ data: event.slice('data: '.length) }));
}

function jsonOf(body: Buffer | string): JsonObject {
  return asObject(parseJson(body.toString('utf8'))) ?? {};
}
