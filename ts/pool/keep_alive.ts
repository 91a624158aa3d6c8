/** Keeps the process alive while there is work that the event loop does not know of. */

const FOR_EVER = 2 ** 31 - 1;

export class KeepAlive {
  #isOn = false;
  #timer: NodeJS.Timeout | undefined;

  set(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    if (!isOn) this.#timer?.unref();
    else if (this.#timer === undefined) this.#timer = setInterval(() => {}, FOR_EVER);
    else this.#timer.ref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#isOn = false;
  }
}
