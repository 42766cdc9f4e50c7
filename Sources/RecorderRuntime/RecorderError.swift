import Camera
public import EvidenceStore
import Core
import Encoding
import Indicators
import LinuxIO
import Microphone
import Power
import Triggers

/// Why the recorder could not start, or had to end. `exitCode` is the command's, from sysexits.h.
public struct RecorderError: Error, Sendable, CustomStringConvertible {
  public enum Kind: Int32, Sendable {
    /// A device is missing, busy, or does not offer what was asked.
    case device = 69
    /// The card or the store cannot be used, or another recorder has it.
    case store = 73
    /// Memory, threads, sockets: the system refused.
    case system = 71
    /// Keys or notes are missing or wrong.
    case identity = 77
    /// The configuration asks for something that this machine cannot do.
    case configuration = 78
  }

  public var kind: Kind
  public var description: String
  public var exitCode: Int32 { kind.rawValue }

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  init(_ error: CameraError) { self.init(.device, error.description) }
  init(_ error: MicrophoneError) { self.init(.device, error.description) }
  init(_ error: TriggerError) {
    switch error.kind {
    case .malformed: self.init(.configuration, "buttons.record: \(error)")
    case .notFound, .notOffered, .permission, .busy, .unsupported, .lost, .failed: self.init(.device, error.description)
    }
  }
  init(_ error: PowerError) {
    switch error.kind {
    case .malformed: self.init(.configuration, "power.fail_line: \(error)")
    case .notFound, .notOffered, .permission, .busy, .lost, .failed:
      self.init(.device, "power.fail_line: \(error)")
    }
  }
  init(_ error: IndicatorError, of output: SignOutput) {
    switch error.kind {
    case .malformed: self.init(.configuration, "indicators.\(output.rawValue): \(error)")
    case .notFound, .notOffered, .permission, .busy, .lost, .failed:
      self.init(.device, "indicators.\(output.rawValue): \(error)")
    }
  }
  init(_ error: EncodingError) {
    switch error {
    case .device: self.init(.device, error.description)
    default: self.init(.configuration, error.description)
    }
  }
  init(_ error: LinuxError) { self.init(.system, error.description) }
  public init(_ error: StoreError) { self.init(error.kind == .identity ? .identity : .store, error.description) }
}
