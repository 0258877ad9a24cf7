/**
 * Fields of a `config.json` that do not affect the result in any architecture: origin of the file, storage of weights,
 * training, and generation, which has separate options here.
 */
const shared = (): string[] => [
  // Origin and storage.
  ..."architectures transformers_version dtype torch_dtype name_or_path _name_or_path _commit_hash".split(
    " ",
  ),
  ..."tokenizer_class prefix finetuning_task task_specific_params unsloth_fixed unsloth_version".split(" "),
  // Only for sentence-transformers: the activation after the logits of a cross-encoder.
  "sentence_transformers",
  // Implementation choices: the result is the same.
  ..."use_cache cache_implementation attn_implementation _attn_implementation".split(" "),
  ..."_attn_implementation_autoset _attn_implementation_internal _flash_attn_2_enabled".split(" "),
  ..."chunk_size_feed_forward pretraining_tp torchscript use_bfloat16 tf_legacy_loss output_past".split(" "),
  ..."return_dict use_return_dict output_attentions output_hidden_states".split(" "),
  // Training.
  ..."initializer_range initializer_factor gradient_checkpointing attention_dropout".split(" "),
  // Heads for other tasks, which are not read.
  ..."id2label label2id num_labels _num_labels problem_type classifier_dropout".split(" "),
  // Tokens, which are read from the tokenizer, and generation.
  ..."bos_token_id pad_token_id sep_token_id unk_token_id mask_token_id cls_token_id".split(" "),
  ..."decoder_start_token_id forced_bos_token_id forced_eos_token_id".split(" "),
  ..."max_length min_length max_new_tokens min_new_tokens do_sample early_stopping num_beams".split(" "),
  ..."num_beam_groups diversity_penalty temperature top_k top_p min_p typical_p".split(" "),
  ..."repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size".split(" "),
  ..."bad_words_ids num_return_sequences output_scores return_dict_in_generate".split(" "),
  ..."remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens".split(
    " ",
  ),
];

/** Ignored fields of a family: the shared ones, and further names separated by spaces. */
export const ignoredFields = (...familyFields: readonly string[]): ReadonlySet<string> =>
  new Set([...shared(), ...familyFields.flatMap((names) => names.split(" "))]);
