// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import LocalHub
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage
internal import Weights

/// An error as it is told: what happened, why, what to try, and the status to exit with.
///
/// The one place where facts become advice.
struct ErrorReport {
  let status: ExitStatus
  let what: String
  var why: String?
  var advice: String?

  init(_ status: ExitStatus, _ what: String, why: String? = nil, advice: String? = nil) {
    self.status = status
    self.what = what
    self.why = why
    self.advice = advice
  }

  init(_ error: any Error) {
    switch error {
    case let error as HubError: self.init(error)
    case let error as WeightsError: self.init(error)
    case let error as MergeError: self.init(error)
    case let error as CheckpointWriter.Failure: self.init(error)
    case let error as StorageError: self.init(error)
    case let error as ModelSourceError: self.init(error)
    case let error as AdapterError:
      self.init(
        .badInput, "the adapter \(error.path) cannot be applied", why: "\(error.fault)")
    case let error as InvalidRepoID:
      self.init(
        .usage, "\"\(error.text)\" is not a repository id", why: "\(error)",
        advice: "ids look like namespace/name")
    case let error as LockFault: self.init(error)
    case let error as NotLocked: self.init(error)
    case let error as CardError: self.init(.badInput, "the card cannot be written", why: "\(error)")
    case let error as ReleaseError: self.init(error)
    case let error as PublicationError: self.init(error)
    case let error as HubServer.Failure: self.init(error)
    case let error as UserError:
      self.init(error.status, error.what, why: error.why, advice: error.advice)
    case is CancellationError: self.init(.interrupted, "interrupted")
    default: self.init(.internalError, "\(error)")
    }
  }

  init(interruptedBy signal: Int32) {
    self.init(
      signal == 15 ? .terminated : .interrupted, "interrupted",
      advice: "run the same command again; it goes on where it was")
  }

  func rendered(_ terminal: Terminal) -> String {
    var text = "\(terminal.red("error:")) \(what.printable)\n"
    if let why { text += "  why: \(why.printable)\n" }
    if let advice { text += "  try: \(advice.printable)\n" }
    return text
  }
}

/// An error that a command itself has found.
struct UserError: Error {
  let status: ExitStatus
  let what: String
  var why: String?
  var advice: String?
}

extension ErrorReport {
  private init(_ error: WeightsError) {
    switch error {
    case .brokenSafetensors(let path, let fault):
      self.init(
        .badInput, "\(path) is not a sound safetensors file", why: "\(fault)",
        advice: "fetch or copy it again")
    case .brokenTorchArchive(let path, let fault):
      self.init(
        .badInput, "\(path) is not a PyTorch archive that can be read", why: "\(fault)",
        advice: "load it in PyTorch and save its tensors as safetensors")
    case .brokenJSON(let path, let fault):
      self.init(.badInput, "\(path) is not valid JSON", why: "\(fault)")
    case .malformed(let path, let reason):
      self.init(.badInput, "\(path) is malformed", why: reason)
    case .notAFolder(let path): self.init(.missingInput, "there is no model folder \(path)")
    case .noWeights(let path, let others):
      self.init(
        .missingInput, "\(path) has no safetensors weights",
        why: others.isEmpty
          ? nil
          : "it has only " + others.prefix(4).joined(separator: ", ")
            + ", a format that is not read",
        advice: others.isEmpty
          ? nil : "convert them: transformers' save_pretrained writes safetensors")
    case .noConfig(let path): self.init(.missingInput, "\(path) has no config.json")
    case .missingShard(let path, let shard):
      self.init(
        .missingInput, "\(path) lacks the shard \(shard) that its index names",
        advice: "fetch or copy the model again")
    case .notInShard(let path, let tensor, let shard):
      self.init(
        .badInput, "\(path): the index places \(tensor) in \(shard), which does not have it")
    case .duplicateTensor(let path, let tensor, let shards):
      self.init(
        .badInput, "\(path) has \(tensor) more than once",
        why: "in " + shards.joined(separator: ", "))
    case .quantized(let path, let scheme):
      self.init(
        .badInput, "\(path) is quantised (\(scheme))",
        why: "its bytes are no numbers that could be averaged",
        advice: "merge the unquantised model and quantise the result")
    case .unsafeName(let path, let name):
      self.init(.badInput, "\(path) names a file outside of its folder", why: "\"\(name)\"")
    }
  }

  private init(_ error: MergeError) {
    switch error {
    case .notFinite(let tensor, let element, let overflow, let dtype, let models):
      self.init(
        .badInput,
        overflow
          ? "element \(element) of \(tensor) is too large for \(dtype.torchName)"
          : "element \(element) of \(tensor) is not a finite number",
        why: "it is made of finite numbers of " + models.joined(separator: ", "),
        advice: overflow
          ? "use smaller weights, or \"out_dtype: bfloat16\"" : "check the weights of the models")
    case .inputChanged(let path):
      self.init(.inputOutput, "\(path) changed while it was being merged", advice: "start again")
    case .notAsPlanned(let path, let reason):
      self.init(
        .inputOutput, "\(path) is not what was written to it", why: reason,
        advice: "check the disk, and start again")
    case .cancelled: self.init(.interrupted, "interrupted")
    }
  }

  private init(_ error: CheckpointWriter.Failure) {
    switch error {
    case .targetExists(let path):
      self.init(
        .cannotCreate, "\(path) exists already",
        advice: "choose another name, or replace it with --overwrite")
    case .busy(let path):
      self.init(.tryAgain, "another hubmerge is writing \(path)", advice: "wait until it is done")
    case .diskTooSmall(let path, let needed, let free):
      self.init(
        .cannotCreate, "the disk is too small for \(path)",
        why: "\(Quantity.bytes(needed)) are needed, \(Quantity.bytes(free)) are free",
        advice: "free some space, or write to another disk")
    }
  }

  private init(_ error: StorageError) {
    let status: ExitStatus =
      error.isDiskFull || error.operation == "create"
      ? .cannotCreate
      : error.isNotFound
        ? .missingInput : error.errno == .permissionDenied ? .notPermitted : .inputOutput
    self.init(
      status, "cannot \(error.operation) \(error.path)", why: error.detail ?? "\(error.errno)",
      advice: error.isDiskFull ? "free some space and run the same command again" : nil)
  }

  private init(_ error: ModelSourceError) {
    switch error {
    case .notFound(let reference):
      self.init(
        .missingInput, "there is no model \(reference)",
        why: "it is neither a folder here nor the id of a repository",
        advice: "check the path; ids look like namespace/name")
    case .adapterNotFound(let reference):
      self.init(
        .missingInput, "there is no adapter \(reference.adapter?.description ?? "")",
        why: "it is neither a folder here nor the id of a repository",
        advice: "check the part after \"+\"")
    }
  }
}
