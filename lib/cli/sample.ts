import { writeSample } from "@/data/sample/write_sample.ts";
import { SAMPLE_FOLDER } from "@/data/sample_source.ts";
await writeSample(SAMPLE_FOLDER);
