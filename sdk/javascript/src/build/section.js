// The manifest in the component: a custom section at its end.

const NAME = 'occi:manifest';

export function withManifest(component, manifest) {
  const name = Buffer.from(NAME);
  const content = Buffer.concat([length(name.length), name, Buffer.from(manifest)]);
  return Buffer.concat([component, Buffer.of(0), length(content.length), content]);
}

// LEB128: seven bits a byte, the lowest first; the eighth says that there are more.
function length(number) {
  const bytes = [];
  do {
    const rest = number >>> 7;
    bytes.push((number & 0x7f) | (rest > 0 ? 0x80 : 0));
    number = rest;
  } while (number > 0);
  return Buffer.from(bytes);
}
