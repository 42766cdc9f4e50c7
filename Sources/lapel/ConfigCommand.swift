import ArgumentParser
import Configuration
import LinuxIO

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Shows and checks the configuration.",
    discussion: """
      Examples:
        lapel config show --config config/lapel.toml
        lapel config check config/lapel.toml
        lapel config default > lapel.toml
      """,
    subcommands: [Show.self, Check.self, Default.self])

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Every key with its value, unit and origin.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "For machines.") var json = false

    func run() throws {
      try CommandFailure.report {
        let listing = ConfigurationListing(try options.load())
        standardOutput.write(json ? listing.json : listing.table)
      }
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says everything that is wrong with a file; exit code 78 when anything is.")
    @Argument(help: "The file.") var file: String

    func run() throws {
      try CommandFailure.report {
        _ = try ConfigurationOptions.load([.file(name: file, text: try ConfigurationOptions.text(file))])
        standardOutput.writeLine("\(file): good")
      }
    }
  }

  struct Default: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "default", abstract: "A documented file with every key at its default.")

    func run() throws { standardOutput.write(ConfigurationSchema.documentedFile) }
  }
}
