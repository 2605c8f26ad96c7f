// Why an extension, or a capability, says no.

export class Fault extends Error {
  name = 'Fault';

  constructor(code, message, attribute) {
    super(message);
    this.code = code;
    this.attribute = attribute;
  }

  static invalid(message, attribute) {
    return new Fault('invalid', message, attribute);
  }

  static conflict(message, attribute) {
    return new Fault('conflict', message, attribute);
  }

  static denied(message, attribute) {
    return new Fault('denied', message, attribute);
  }

  static missing(message, attribute) {
    return new Fault('missing', message, attribute);
  }

  static unsupported(message, attribute) {
    return new Fault('unsupported', message, attribute);
  }

  static unavailable(message, attribute) {
    return new Fault('unavailable', message, attribute);
  }

  static timeout(message, attribute) {
    return new Fault('timeout', message, attribute);
  }

  static failed(message, attribute) {
    return new Fault('failed', message, attribute);
  }

  // Of whatever was thrown. A capability that is called by its generated functions throws an error whose `payload` is
  // the contract's fault. Anything else is a slip of the author's: as a trap it would end the call without a word.
  static of(thrown, where) {
    if (thrown instanceof Fault) return thrown;
    const { code, message, attribute } = thrown?.payload ?? {};
    if (typeof code === 'string' && typeof message === 'string') return new Fault(code, message, attribute);
    return Fault.failed(`${where}: ${String(thrown)}`);
  }

  // As the contract has it.
  lower() {
    return { code: String(this.code), message: String(this.message), attribute: this.attribute };
  }
}
