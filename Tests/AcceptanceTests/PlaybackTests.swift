import Foundation
import LinuxIO
import Media
import Testing

extension AcceptanceTests {
  @Suite("Playback", .serialized)
  struct PlaybackTests {
    static let program = ["chromium", "chromium-browser", "google-chrome"].first { Machine.has($0) }

    @Test(
      "A headless Chromium plays each segment that stock age decrypts, and the opened file, to the end",
      .enabled(if: program != nil || Machine.mustRunEverything, "chromium is not installed"))
    func plays() throws {
      let program = try #require(Self.program, "chromium is not installed")
      let small = try SmallRecording.shared.get()
      let files = small.segments + [small.file]
      let page = try Self.page(files, in: small.rig.directory)
      let browser = try Program(
        [
          program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
          "--autoplay-policy=no-user-gesture-required", "--allow-file-access-from-files", "--enable-logging=stderr",
          "--user-data-dir=\(small.rig.directory)/chromium", "file://\(page)",
        ], output: "\(small.rig.directory)/chromium.out", errors: "\(small.rig.directory)/chromium.err")
      defer {
        browser.signal(SIGTERM)
        _ = browser.wait()
      }
      let deadline = MonotonicTime.now() + .seconds(90)
      while !browser.errors.contains("LAPEL done"), MonotonicTime.now() < deadline, browser.exitCode == nil {
        MonotonicTime.sleep(until: .now() + .milliseconds(100))
      }
      for (index, file) in files.enumerated() {
        let prefix = "LAPEL \(index) "
        let line = browser.errors.split(separator: "\n").first { $0.contains(prefix) }
        let words = try #require(line, "nothing of \(file) in \(browser.errors.suffix(2_000))")
          .components(separatedBy: prefix)[1].split(separator: " ")
        #expect(words.first == "ended", "\(file): \(words)")
        #expect(words.count >= 4 && words[1] == "640x360", "\(file): \(words)")
        let frames = try Stock.probe(file, "v:0", "packet=pts_time").count
        #expect(words.count >= 4 && Int(words[3]) == frames, "\(file) has \(frames) pictures: \(words)")
      }
    }

    /// A page that plays the files one after the other and tells the console how each one ended: how it ended, the size of
    /// the picture, where, and how many pictures went through the decoder.
    private static func page(_ files: [String], in directory: String) throws -> String {
      let list = files.map { "\"file://\($0)\"" }.joined(separator: ", ")
      let text = """
        <!doctype html><video id="video" muted></video><script>
        const files = [\(list)], video = document.getElementById("video");
        let index = -1;
        function say(how) {
          console.log(`LAPEL ${index} ${how} ${video.videoWidth}x${video.videoHeight} ${video.currentTime} ` +
            `${video.getVideoPlaybackQuality().totalVideoFrames} `);
          next();
        }
        function next() {
          index += 1;
          if (index == files.length) { console.log("LAPEL done"); return; }
          video.src = files[index];
          video.playbackRate = 4;
          video.play().catch(() => {});
        }
        video.onended = () => say("ended");
        video.onerror = () => say("error:" + video.error.code + ":" + video.error.message.replaceAll(" ", "_"));
        next();
        </script>
        """
      let page = "\(directory)/play.html"
      try text.write(toFile: page, atomically: true, encoding: .utf8)
      return page
    }
  }
}
