/** The face of native/binding/adopted_memory_api.cc. */

export interface AdoptedMemoryBinding {
  /** `adopter`: the fork addon's memoryAdopter(). Without it memory is copied instead. */
  adoptMemoryWith(adopter: object): void;
  /**
   * `size` bytes that are used again once nobody refers to them, with what is in them; undefined where there is no
   * adopter, or no memory for them.
   */
  recycledMemory(size: number): ArrayBuffer | undefined;
  /** Gives the system what nobody refers to. */
  trimRecycledMemory(): void;
  /**
   * Before a fork: messages that Ring.keep() has given become memory of this process alone, at the same address; memory
   * that nobody refers to is given back, as it would have to be copied when it is used. Throws ENOMEM.
   */
  settleMemory(): void;
}
