import { MemoryStore } from './memory-store.ts'
import { describeObjectStore } from './object-store.ts'

describeObjectStore('MemoryStore', async () => new MemoryStore())
