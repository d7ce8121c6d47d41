import { serviceOf } from '../service.ts';
import { BufferedAnswer } from './buffered-answer.ts';
import { ErrorAnswer, RefusedAnswer } from './error-answer.ts';
import { EventAnswer } from './event-answer.ts';
import { FRAMINGS } from './framing.ts';
import type { Answerer, AnswerHeaders, Outlet } from './outlet.ts';
import { PlainAnswer } from './plain-answer.ts';

/** Chooses the treatment by the answer's head. */
export function openAnswer(outlet: Outlet, status: number, headers: AnswerHeaders): Answerer {
  const { instance, transform, stage, keeper, objection, stream, operation, split } =
    outlet.request;
  const contentType = headers['content-type']?.toString().toLowerCase();
  if (status >= 400 && status < 600) return new ErrorAnswer(outlet, status, headers);
  if (status >= 600 || status === 304) {
    return new RefusedAnswer(outlet, `"${instance.name}" answered with the odd status ${status}.`);
  }
  if (status >= 300) {
    return new RefusedAnswer(
      outlet,
      `"${instance.name}" redirects to ${String(headers['location'])}: set instances.${instance.name}.baseUrl to where it really is.`,
    );
  }
  if (contentType?.startsWith('text/html')) {
    return new RefusedAnswer(
      outlet,
      `"${instance.name}" answered with a web page instead of a result: check instances.${instance.name}.baseUrl.`,
    );
  }
  const lines = contentType?.startsWith('application/x-ndjson') ?? false;
  const events = lines || (contentType?.startsWith('text/event-stream') ?? false);
  // A stage makes a stream of it.
  if (outlet.request.response.headersSent && !events && !stage) {
    const { name } = instance;
    return new RefusedAnswer(
      outlet,
      `"${name}" did not stream, and the client waits for a stream.`,
    );
  }
  const given = headers['content-encoding']?.toString().toLowerCase();
  const encoding = given === 'identity' ? undefined : given;
  // GPUStack sends an error in a stream's place without any content type.
  if (events || (stream && contentType === undefined)) {
    if (stage && !stream) {
      return new RefusedAnswer(outlet, `"${instance.name}" streams what was not to be streamed.`);
    }
    if (serviceOf(operation) !== 'speech' || contentType !== undefined)
      return new EventAnswer(outlet, lines ? FRAMINGS.lines : FRAMINGS.events);
  }
  // We asked for none: the client can't be trusted to know an encoding, nor the header to be true.
  if (transform?.body || stage || keeper || objection || encoding !== undefined || split) {
    return new BufferedAnswer(outlet, transform ?? {}, { headers, encoding });
  }
  return new PlainAnswer(outlet, contentType);
}
