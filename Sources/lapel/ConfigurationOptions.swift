import ArgumentParser
import Configuration
import Glibc
import LinuxIO
import RecorderRuntime

/// The layers of configuration that every command takes: built-in, board profile, file, command line.
struct ConfigurationOptions: ParsableArguments {
  /// Read when it exists and no `--config` is given.
  static let defaultPath = "/etc/lapel/lapel.toml"
  /// The board's profile, put there by the installation. Read when it exists and neither `--board` nor `--config` names
  /// another machine's.
  static let defaultBoardPath = "/etc/lapel/board.toml"

  @Option(help: ArgumentHelp("Configuration file (default: \(defaultPath) when it exists).", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Board profile, a layer below the file (default without --config: \(defaultBoardPath) when it exists).",
      valueName: "file"))
  var board: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("One key, above the file, e.g. --set recording.pre_event_s=60.", valueName: "key=value"))
  var assignments: [String] = []

  /// All layers together; every problem of every layer is reported at once.
  func load() throws -> LoadedConfiguration {
    var layers: [ConfigurationLayer] = []
    if let board {
      layers.append(.boardProfile(name: board, text: try Self.text(board)))
    } else if config == nil, Self.isThere(Self.defaultBoardPath) {
      layers.append(.boardProfile(name: Self.defaultBoardPath, text: try Self.text(Self.defaultBoardPath)))
    }
    if let config {
      layers.append(.file(name: config, text: try Self.text(config)))
    } else if Self.isThere(Self.defaultPath) {
      layers.append(.file(name: Self.defaultPath, text: try Self.text(Self.defaultPath)))
    }
    if !assignments.isEmpty { layers.append(.commandLine(assignments)) }
    return try Self.load(layers)
  }

  /// A file that is there and cannot be read is no reason to go on with other settings than are in it.
  private static func isThere(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 || errno != ENOENT && errno != ENOTDIR
  }

  static func load(_ layers: [ConfigurationLayer]) throws -> LoadedConfiguration {
    do throws(ConfigurationError) {
      let loaded = try LoadedConfiguration.load(layers)
      let problems = loaded.values.placeProblems
      if !problems.isEmpty { throw ConfigurationError(problems: problems.map(loaded.located)) }
      return loaded
    } catch {
      throw CommandFailure("\(error)", exitCode: 78)
    }
  }

  private static let limit = 1 << 20

  static func text(_ path: String) throws -> String {
    do {
      return String(decoding: try readSmallFile(path: path, limit: limit), as: UTF8.self)
    } catch {
      throw CommandFailure("\(error)", exitCode: 78)
    }
  }
}

/// A failure that was explained: one message on stderr, one documented exit code.
struct CommandFailure: Error, CustomStringConvertible {
  var description: String
  var exitCode: Int32

  init(_ description: String, exitCode: Int32 = 1) {
    self.description = description
    self.exitCode = exitCode
  }

  /// Runs a command's body; a failure is written to stderr and becomes the exit code.
  static func report(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let failure as CommandFailure {
      standardError.writeLine("lapel: \(failure)")
      throw ExitCode(failure.exitCode)
    } catch let code as ExitCode {
      throw code
    } catch {
      standardError.writeLine("lapel: \(error)")
      throw ExitCode(1)
    }
  }
}
