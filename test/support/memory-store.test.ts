/** The store in memory that other tests use behaves like the real ones. */
import { MemoryStore } from './memory-store.ts'
import { describeObjectStore } from './object-store.ts'

describeObjectStore('MemoryStore', async () => new MemoryStore())
