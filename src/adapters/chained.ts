import type { ResponseTransform } from './adapter.ts';

/** Two transforms as one: the second sees what the first has made. */
export function chained(
  first: ResponseTransform | undefined,
  second: ResponseTransform | undefined,
): ResponseTransform | undefined {
  if (!first || !second) return first ?? second;
  const { event: one, body: whole } = first;
  const { event: other, body: rest } = second;
  return {
    ...first,
    ...second,
    ...(one && other && { event: (event) => one(event).flatMap((made) => other(made)) }),
    ...(whole &&
      rest && {
        body(body, contentType, linked) {
          const made = whole(body, contentType, linked);
          if (!made) return rest(body, contentType);
          return rest(Buffer.from(made.body), made.contentType ?? contentType) ?? made;
        },
      }),
  };
}
